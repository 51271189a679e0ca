/**
 * The state machine of one topic-partition in one epoch (one membership of the group). Pure: the consumer performs the effects and
 * reports what came of them; tests interleave them with crashes.
 *
 *   idle --close--> committing --committed--> inserting --inserted--> idle
 *                        |                        | (ambiguous)
 *                        | (a range in doubt)     v
 *                        +----------------> recovering --recovered--> idle
 *   idle --rest--> clearing --committed--> idle            any --fenced--> fenced
 *
 * Invariants
 * - An insert happens only after the intent of its range has been committed in this epoch.
 * - The intent of the next range is committed only after the range before is known to be stored.
 * - A range of which something may be stored is recovered, never merely inserted.
 * - After `fenced` nothing has an effect any more.
 */

/** Offsets [from, to). */
export interface OffsetRange {
  readonly from: number
  readonly to: number
}

/** A closed range with what its intent says. */
export interface ClosedRange extends OffsetRange {
  readonly records: number
  /** When the range was opened, epoch milliseconds. */
  readonly openedAtMs: number
  readonly doubt: RangeDoubt
}

/**
 * What of a range may be stored before it is inserted: `none` of it; some of it under the same token (`same_range`: an intent of an earlier
 * epoch fixed it); or some of it under tokens that are not known any more (`offsets`: the commit was lost or moved); or nothing of it, but a token may be
 * taken (`token`: nobody knows of any commit, and nothing of the source is stored).
 */
export type RangeDoubt = 'none' | 'same_range' | 'offsets' | 'token'

export type Stage =
  | { readonly kind: 'idle' }
  | { readonly kind: 'committing'; readonly range: ClosedRange }
  | { readonly kind: 'inserting'; readonly range: ClosedRange }
  | { readonly kind: 'recovering'; readonly range: ClosedRange }
  | { readonly kind: 'clearing' }
  | { readonly kind: 'fenced' }

export interface PartitionState {
  readonly stage: Stage
  /** Everything before is stored: where the next owner may begin. undefined: nothing was ever committed or stored. */
  readonly storedTo: number | undefined
  /** The last commit holds an intent (or somebody's text) that a rest should clear. */
  readonly hasIntent: boolean
}

export type PartitionEvent =
  /** The open range was closed: full, old, or stopping. */
  | { readonly kind: 'closed'; readonly range: ClosedRange }
  /** Nothing is open and nothing came for a while. */
  | { readonly kind: 'rested' }
  | { readonly kind: 'committed' }
  | { readonly kind: 'inserted' }
  /** The insert may or may not have happened, in whole or in part. */
  | { readonly kind: 'insert_ambiguous' }
  | { readonly kind: 'recovered' }
  /** A commit was refused, the group was joined anew, or the partition went to somebody else. */
  | { readonly kind: 'fenced' }

export type PartitionEffect =
  | { readonly kind: 'commit'; readonly offset: number; readonly intent: ClosedRange | undefined }
  | { readonly kind: 'insert'; readonly range: ClosedRange }
  | { readonly kind: 'recover'; readonly range: ClosedRange }

/** The state after an event, and what is to be done. */
export type Step = readonly [PartitionState, readonly PartitionEffect[]]

const IDLE = { kind: 'idle' } as const

export function initialState(storedTo: number | undefined, hasIntent: boolean): PartitionState {
  return { stage: IDLE, storedTo, hasIntent }
}

function unchanged(state: PartitionState): Step {
  return [state, []]
}

function close(state: PartitionState, range: ClosedRange): Step {
  if (state.stage.kind !== 'idle') return unchanged(state)
  const next = { ...state, stage: { kind: 'committing', range } } as const
  return [next, [{ kind: 'commit', offset: range.from, intent: range }]]
}

function rest(state: PartitionState): Step {
  const { stage, hasIntent, storedTo } = state
  if (stage.kind !== 'idle' || !hasIntent || storedTo === undefined) return unchanged(state)
  return [{ ...state, stage: { kind: 'clearing' } }, [{ kind: 'commit', offset: storedTo, intent: undefined }]]
}

function commit(state: PartitionState): Step {
  const { stage } = state
  if (stage.kind === 'clearing') return [{ ...state, stage: IDLE, hasIntent: false }, []]
  if (stage.kind !== 'committing') return unchanged(state)
  const { range } = stage
  const kind = range.doubt !== 'none' ? 'recovering' : 'inserting'
  const effect = range.doubt !== 'none' ? 'recover' : 'insert'
  return [{ ...state, stage: { kind, range }, hasIntent: true }, [{ kind: effect, range }]]
}

function store(state: PartitionState, expected: 'inserting' | 'recovering'): Step {
  const { stage } = state
  if (stage.kind !== expected) return unchanged(state)
  return [{ ...state, stage: IDLE, storedTo: stage.range.to }, []]
}

function doubt(state: PartitionState): Step {
  if (state.stage.kind !== 'inserting') return unchanged(state)
  const { range } = state.stage
  return [{ ...state, stage: { kind: 'recovering', range } }, [{ kind: 'recover', range }]]
}

/** Events that do not fit the stage are late answers to effects of the past: they change nothing. */
export function step(state: PartitionState, event: PartitionEvent): Step {
  if (state.stage.kind === 'fenced') return unchanged(state)
  switch (event.kind) {
    case 'closed':
      return close(state, event.range)
    case 'rested':
      return rest(state)
    case 'committed':
      return commit(state)
    case 'inserted':
      return store(state, 'inserting')
    case 'insert_ambiguous':
      return doubt(state)
    case 'fenced':
      return [{ ...state, stage: { kind: 'fenced' } }, []]
    case 'recovered':
      break
  }
  return store(state, 'recovering')
}
