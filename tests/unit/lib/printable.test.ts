import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { printable, quoted } from '#lib/printable.ts'

/** Everything that a terminal may obey, or that hides, among ordinary text. */
const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...Array.from('ab "\\/:é字😀')),
    fc.constantFrom('\n', '\r', '\t', '\0', '\u0007', '\u001B', '\u009B', '\u0085', '\u007F'),
    fc.constantFrom('\u2028', '\u2029', '\u202A', '\u202E', '\u2066', '\u2069', '\u200B', '\u200F', '\uFEFF', '\u00AD'),
    fc.constantFrom('\uD800', '\uDFFF', '\u00A0', '\u3000', '\uE000', '\u{E0041}', '\uFE0F', '\u0301', '\uFFFF'),
  ),
  maxLength: 60,
})

describe('text of others', () => {
  it('stays on its line, in its order, and shows all that it holds', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(printable(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Cn}\p{Co}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u)
      }),
      { seed: 1 },
    )
  })

  it('made harmless twice is the same', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(printable(printable(text))).toBe(printable(text))
      }),
      { seed: 2 },
    )
  })

  it('is left as it is where nothing is unsafe', () => {
    for (const text of [
      '',
      'WeatherBot/3.0 (+https://example.com)',
      '/2/users/:id',
      'Straße 東京 مرحبا שלום',
      'a😀b',
      'é',
    ]) {
      expect(printable(text)).toBe(text)
    }
  })

  it.each([
    ['a line end', 'a\nb', 'a\\u{a}b'],
    ['a terminal sequence', '\u001B[2J', '\\u{1b}[2J'],
    ['a change of direction', 'a\u202Eb', 'a\\u{202e}b'],
    ['a character without width', 'a\u200Bb', 'a\\u{200b}b'],
    ['half a character', 'a\uD800', 'a\\u{d800}'],
    ['a space that is none', 'a\u00A0b', 'a\\u{a0}b'],
  ])('shows %s instead of obeying it', (_, text, shown) => {
    expect(printable(text)).toBe(shown)
  })

  it('does not climb over other lines by marks on marks', () => {
    expect(printable(`e${'\u0301'.repeat(50)}`)).toBe(`e${'\u0301'.repeat(3)}`)
  })
})

describe('quoted text', () => {
  it('ends where its quotes end, and is short', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const shown = quoted(text)
        expect(shown).toMatch(/^"[^"]*"$/)
        expect(Array.from(shown).length).toBeLessThanOrEqual(82)
      }),
      { seed: 3 },
    )
    expect(Array.from(quoted('x'.repeat(5000)))).toHaveLength(82)
  })
})
