/** The elements of a JSON array as text with the line each starts on, so that one bad element is reported and the others are read. */

export interface JsonElement {
  readonly text: string
  /** Line of the file, from 1. */
  readonly line: number
}

const QUOTE = 34
const COMMA = 44
const OPEN: ReadonlySet<number> = new Set([91, 123])
const BACKSLASH = 92
const CLOSE: ReadonlySet<number> = new Set([93, 125])

/** Position after the string that starts at `at`, or the end of the text. */
function afterString(text: string, at: number): number {
  for (let index = at + 1; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code === BACKSLASH) index += 1
    else if (code === QUOTE) return index + 1
  }
  return text.length
}

function countNewlines(text: string, from: number, to: number): number {
  let count = 0
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) count += 1
  return count
}

/**
 * Cuts the text of an array at the commas between its elements. The elements are not checked: JSON.parse does that. `text` starts with '[',
 * after white space. `isClosed` is false when the array does not end.
 */
export function splitJsonArray(text: string): {
  readonly elements: readonly JsonElement[]
  readonly isClosed: boolean
} {
  const elements: JsonElement[] = []
  let start = text.indexOf('[') + 1
  let line = 1 + countNewlines(text, 0, start)
  let depth = 0
  const add = (end: number): void => {
    const raw = text.slice(start, end)
    const trimmed = raw.trimStart()
    const lead = raw.length - trimmed.length
    if (trimmed !== '') elements.push({ text: trimmed, line: line + countNewlines(text, start, start + lead) })
    line += countNewlines(text, start, end)
  }
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = afterString(text, at) - 1
    else if (OPEN.has(code)) depth += 1
    else if (CLOSE.has(code) && depth > 0) depth -= 1
    else if (CLOSE.has(code)) {
      add(at)
      return { elements, isClosed: true }
    } else if (code === COMMA && depth === 0) {
      add(at)
      start = at + 1
    }
  }
  add(text.length)
  return { elements, isClosed: false }
}
