/**
 * Client addresses as text: checked, and brought to one spelling.
 *
 * IPv4 stays as it is (there is only one spelling: no leading zeros). IPv6 is compressed to lower case (RFC 5952); an IPv4-mapped
 * address becomes the IPv4 address, because both name the same client. A zone id is refused: it means nothing beyond one host.
 */
import { isIPv6 } from 'node:net'

import ipaddr from 'ipaddr.js'

/** True for a dotted quad of 0..255 without leading zeros. */
function isIPv4(text: string): boolean {
  let parts = 0
  let digits = 0
  let value = 0
  for (let at = 0; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - 48
    if (digit >= 0 && digit <= 9) {
      if (digits > 0 && value === 0) return false
      value = value * 10 + digit
      digits += 1
      if (value > 255) return false
    } else {
      if (digit !== -2 || digits === 0) return false
      parts += 1
      digits = 0
      value = 0
    }
  }
  return parts === 3 && digits > 0
}

function canonicalIPv6(text: string): string | undefined {
  if (text.includes('%') || !isIPv6(text) || !ipaddr.IPv6.isValid(text)) return undefined
  const address = ipaddr.IPv6.parse(text)
  return address.isIPv4MappedAddress() ? address.toIPv4Address().toString() : address.toRFC5952String()
}

/** IPv6 addresses remembered: at 150 bytes each, 3 MB. Parsing one costs 3 us, more than the rest of a record. */
const REMEMBERED = 20_000
const remembered = new Map<string, string>()

/** The address in its one spelling; undefined when it is none. */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text
  const known = remembered.get(text)
  if (known !== undefined) return known
  const canonical = text.includes(':') ? canonicalIPv6(text) : undefined
  if (canonical === undefined) return undefined
  if (remembered.size >= REMEMBERED) remembered.clear()
  remembered.set(text, canonical)
  return canonical
}
