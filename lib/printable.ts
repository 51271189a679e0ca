/**
 * Text of others, made harmless before a person reads it: names, user agents, routes, ids and field names are chosen by those who are looked at.
 *
 * What a terminal or an editor obeys instead of showing becomes a visible escape (`\u{202e}`): control characters (line ends and the escape that
 * begins a terminal sequence among them), separators of lines and paragraphs, marks that change the direction of writing or have no width, lone
 * surrogates, characters without a meaning, and spaces that are no space. So text stays on its line, in its order, and as long as it looks. It can
 * still say anything: `quoted` says where it begins and ends.
 */

/** Cc controls, Cf format characters (bidi marks, zero widths, tags), Cs lone surrogates, Cn unassigned, Co private, Zl and Zp, spaces but U+0020. */
const UNSAFE =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Cn}\p{Co}\p{Zl}\p{Zp}]|(?! )\p{Zs}|[\u115f\u1160\u2800\u3164\uffa0]|\p{Variation_Selector}/gu

/** More marks than this on one character climb over the lines around it. */
const PILED_MARKS = /(\p{M}{3})\p{M}+/gu

const escapeOf = (character: string): string => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`

/** The same text where nothing is unsafe. Applying it twice changes nothing. */
export function printable(text: string): string {
  return text.replace(UNSAFE, escapeOf).replace(PILED_MARKS, '$1')
}

/** Longer texts are cut: a statement has to be read. Characters. */
const LENGTH_MAX = 80

/** In double quotes that it cannot close, at most 80 characters of it. */
export function quoted(text: string): string {
  const characters = Array.from(printable(text.slice(0, 4 * LENGTH_MAX)))
  const shown =
    characters.length > LENGTH_MAX ? `${characters.slice(0, LENGTH_MAX - 1).join('')}…` : characters.join('')
  return `"${shown.replaceAll('"', "'")}"`
}
