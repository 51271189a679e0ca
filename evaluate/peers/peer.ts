/**
 * A published method on the same traffic. Each is a pure function of plain tables and is swept over its thresholds: its answer is a list of
 * settings, each with the groups of apps it would accuse. None knows owners, limits or the policy, so each group of two apps or more
 * counts as a finding.
 */
import type { Incidence } from './incidence.ts'

/** What the methods read: who touches what in the window. A network is an IPv4 address or an IPv6 /64. */
export interface PeerTraffic {
  readonly networks: Incidence
  readonly routes: Incidence
  readonly userAgents: Incidence
  /** Actions in slots of a length in minutes; an object is `<network>@<slot>` or `<route>@<slot>`. */
  readonly actions: readonly Actions[]
}

export interface Actions {
  readonly on: 'network' | 'route'
  readonly slotMinutes: number
  readonly actions: Incidence
}

export interface PeerAnswer {
  /** The thresholds, in words; the same for every traffic. */
  readonly setting: string
  /** Groups of at least two apps. */
  readonly groups: readonly (readonly string[])[]
}

export interface Peer {
  readonly name: string
  readonly sweep: (traffic: PeerTraffic) => readonly PeerAnswer[]
}
