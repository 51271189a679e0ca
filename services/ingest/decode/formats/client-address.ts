/**
 * The client's address: the peer of the gateway, or what trusted proxies in front of it appended to a forwarding
 * header.
 *
 * A forwarding header is client input up to the part that trusted proxies wrote. With n trusted hops the client is the
 * n-th entry from the right. A header with fewer entries did not pass through those proxies, so the peer's address is
 * used instead. Sources: RFC 7239 (Forwarded), MDN "X-Forwarded-For: selecting an IP address".
 */
import { isIP } from 'node:net'

import type { Reader } from './fields.ts'
import type { FormatOptions } from './format.ts'

/** Longest text that can hold an address, its zone, brackets and a port. */
const ADDRESS_MAX_CHARS = 128

/**
 * Address text without what gateways put around it: a port ("1.2.3.4:5678", "[::1]:80"), a zone ("fe80::1%eth0"), the
 * prefix of an IPv4-mapped address ("::ffff:1.2.3.4"). Not checked otherwise: decode.ts does that. Absent or not text:
 * undefined.
 */
export function bareAddress(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '' || value === '-') return undefined
  if (value.length > ADDRESS_MAX_CHARS) return value
  let text = value.trim()
  const firstColon = text.indexOf(':')
  if (firstColon < 0) return text
  if (text.charCodeAt(0) === 91) {
    const close = text.indexOf(']')
    if (close > 0) text = text.slice(1, close)
  } else if (text.lastIndexOf(':') === firstColon) {
    return text.slice(0, firstColon)
  }
  const zone = text.indexOf('%')
  if (zone > 0) text = text.slice(0, zone)
  const isMapped = text.length > 7 && text.includes('.') && text.slice(0, 7).toLowerCase() === '::ffff:'
  return isMapped ? text.slice(7) : text
}

/** An address, or undefined for other text. */
function addressOrNothing(value: unknown): string | undefined {
  const address = bareAddress(value)
  return address !== undefined && isIP(address) > 0 ? address : undefined
}

/** True for a list whose last entry, which the nearest proxy wrote, is an address. */
export function endsInAddress(list: string): boolean {
  return addressOrNothing(nthFromRight(list, 1)) !== undefined
}

/** One element of a Forwarded header, e.g. `for="[2001:db8::1]:4711";proto=https`, as an address. */
function forwardedElementAddress(element: string): string | undefined {
  const match = /(?:^|;)\s*for\s*=\s*(?:"([^"]*)"|([^;\s]+))/i.exec(element)
  return bareAddress(match?.[1] ?? match?.[2])
}

/** The n-th entry from the right of a list separated by commas. Read from the right, where only trusted proxies write. */
function nthFromRight(list: string, n: number): string | undefined {
  let end = list.length
  for (let seen = 1; seen < n; seen += 1) {
    end = list.lastIndexOf(',', end - 1)
    if (end <= 0) return undefined
  }
  return list.slice(list.lastIndexOf(',', end - 1) + 1, end)
}

/** Header text; a header sent several times is one list (RFC 9110 section 5.3). */
function headerText(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' || value === '-' ? undefined : value
  if (!Array.isArray(value)) return undefined
  const lines = value.filter((line) => typeof line === 'string')
  return lines.length === 0 ? undefined : lines.join(',')
}

/** What the log has of forwarding headers: text, or an array of header lines. */
interface ForwardingHeaders {
  readonly xForwardedFor?: unknown
  readonly forwarded?: unknown
}

/** The address that trusted proxies vouch for; undefined when no hop is trusted or the header does not reach that far. */
function forwardedAddress(headers: ForwardingHeaders, options: FormatOptions): string | undefined {
  if (options.trustedHops < 1) return undefined
  const xForwardedFor = options.forwardedHeader === 'forwarded' ? undefined : headerText(headers.xForwardedFor)
  if (xForwardedFor !== undefined) {
    return addressOrNothing(nthFromRight(xForwardedFor, options.trustedHops))
  }
  const forwarded = options.forwardedHeader === 'x-forwarded-for' ? undefined : headerText(headers.forwarded)
  if (forwarded === undefined) return undefined
  const element = nthFromRight(forwarded, options.trustedHops)
  return element === undefined ? undefined : addressOrNothing(forwardedElementAddress(element))
}

/** Where a log has what tells the client's address. */
interface AddressReaders<Source> {
  /** Whoever connected to the gateway. */
  readonly peer: Reader<Source>
  /** What the writer of the log took for the client, from a header as often as not: used without a peer, or with trusted hops. */
  readonly client?: Reader<Source>
  /** A header that a content network in front overwrites, never appends to: used with trusted hops only. */
  readonly overwritten?: Reader<Source>
  readonly xForwardedFor?: Reader<Source>
  readonly forwarded?: Reader<Source>
}

/** A reader of the client's address: the forwarded one where it may be believed, else the peer's. */
export function clientIp<Source>(readers: AddressReaders<Source>): Reader<Source> {
  return (source, options) => {
    const peer = readers.peer(source, options)
    const client = readers.client?.(source, options)
    if (options.trustedHops < 1) return bareAddress(peer ?? client)
    const xForwardedFor = readers.xForwardedFor?.(source, options)
    const forwarded = readers.forwarded?.(source, options)
    if (xForwardedFor === undefined && forwarded === undefined)
      return addressOrNothing(readers.overwritten?.(source, options)) ?? bareAddress(client ?? peer)
    return forwardedAddress({ xForwardedFor, forwarded }, options) ?? bareAddress(peer ?? client)
  }
}
