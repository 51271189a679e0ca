/**
 * Reading a field from a log entry whose nesting is not known: `http.request.method` is looked for as one key with
 * dots, as nested objects, and as any mixture, because collectors flatten as they like.
 *
 * Paths are taken apart once, when a format is built; reading allocates nothing.
 */
import type { JsonObject } from './format.ts'
import { isPresent } from './values.ts'

/** Reads one field of an entry; undefined when it is absent ('' and '-' included). */
export type FieldReader = (entry: JsonObject) => unknown

/** A key to try at this depth, and the depth to go on at when it leads to an object. */
interface Step {
  readonly key: string
  readonly next: number
}

/** For each depth, the keys to try there, longest (most flattened) first. */
type Path = readonly (readonly Step[])[]

function parsePath(name: string): Path {
  const parts = name.split('.')
  return parts.map((_, start) =>
    parts.slice(start).map((_unused, dropped) => {
      const next = parts.length - dropped
      return { key: parts.slice(start, next).join('.'), next }
    }),
  )
}

/** Arrays too: `tries.0.ip` is a path. */
function isContainer(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null
}

function valueAt(container: JsonObject, path: Path, depth: number): unknown {
  for (const step of path[depth] ?? []) {
    const value = container[step.key]
    if (value === undefined) continue
    if (step.next === path.length) return value
    if (!isContainer(value)) continue
    const inner = valueAt(value, path, step.next)
    if (inner !== undefined) return inner
  }
  return undefined
}

/** A reader of the first of these names that an entry has a value for. */
export function field(...names: readonly string[]): FieldReader {
  const paths = names.map((name) => parsePath(name))
  return (entry) => {
    for (const path of paths) {
      const value = valueAt(entry, path, 0)
      if (isPresent(value)) return value
    }
    return undefined
  }
}
