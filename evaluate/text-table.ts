/**
 * Tables of fixed width for terminals. Pure; no cell can break a line, move the cursor or push its neighbours aside.
 */

/** A column is as wide as `width`; text is cut and starts left, numbers end right. */
export interface Column {
  title: string
  width: number
  align: 'left' | 'right'
}

/** One printed page of a terminal: wider lines wrap and the tables fall apart. */
export const lineWidth = 100

export const gap = '  '

export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) =>
    columns
      .map(({ width, align }, index) => fit(cells[index] ?? '', width, align))
      .join(gap)
      .trimEnd()
  const header = line(columns.map(({ title }) => title))
  const rule = columns.map(({ width }) => '-'.repeat(width)).join(gap)
  return [header, rule, ...(rows.length === 0 ? ['none'] : rows.map(line))]
}

/** Exactly `width` code points: padded or cut. Control characters become ?, so that no name can move the cursor. */
export function fit(value: string, width: number, align: Column['align']): string {
  const characters = Array.from(value.replaceAll(/\p{C}/gu, '?'))
  const cut = characters.length > width ? `${characters.slice(0, width - 1).join('')}…` : characters.join('')
  const padding = ' '.repeat(Math.max(0, width - characters.length))
  return align === 'left' ? `${cut}${padding}` : `${padding}${cut}`
}

export function text(title: string, width: number): Column {
  return { title, width, align: 'left' }
}

export function number(title: string, width: number): Column {
  return { title, width, align: 'right' }
}

export function percent(share: number | null): string {
  return share === null ? '-' : `${(share * 100).toFixed(1)} %`
}

export function decimal(value: number | null): string {
  return value === null ? '-' : value.toFixed(3)
}
