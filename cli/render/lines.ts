/** Lines for people, cut to a width. Pure. Everything that comes from the outside passes `printable` on its way: no text makes a line of its own. */
import { printable } from '#lib/printable.ts'

/** Terminals that tell no width. Columns. */
export const DEFAULT_WIDTH = 120

/**
 * `first` and then the text, at spaces; lines that follow stand deeper than any line that begins something, so that none of them looks like one.
 * A word longer than the line is left to the terminal.
 */
export function wrapped(first: string, text: string, width: number): string[] {
  const indent = ' '.repeat(Math.max(8, first.length))
  const lines: string[] = []
  let line = first
  let isFresh = true
  for (const word of printable(text).split(' ')) {
    const joined = isFresh ? `${line}${word}` : `${line} ${word}`
    if (joined.length > width && !isFresh) {
      lines.push(line.trimEnd())
      line = `${indent}${word}`
    } else line = joined
    isFresh = false
  }
  lines.push(line.trimEnd())
  return lines
}

/** Settings of a table without borders. */
export const PLAIN_TABLE = {
  chars: {
    top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '',
    left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: ' ',
  },
  style: { head: [], border: [], 'padding-left': 0, 'padding-right': 1 },
  wordWrap: true,
} // prettier-ignore

/** The table as text, without blanks at the ends of its lines. */
export const tableText = (table: { readonly toString: () => string }): string =>
  table.toString().replace(/[ \t]+$/gm, '')
