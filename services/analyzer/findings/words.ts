/** Numbers, accounts and addresses in words, the same in every sentence of a finding. */
import { quoted } from '#lib/printable.ts'

export const percent = (share: number): string => {
  const value = share * 100
  return `${value > 0 && value < 1 ? value.toPrecision(1) : Math.round(value)} %`
}

/** Never 100 %: nothing is certain. */
export const sureness = (probability: number): string => `${Math.floor(probability * 1000) / 10} %`

/** `1,234` or `0.012`: two digits where a whole number would hide the value. */
export const amount = (value: number): string =>
  Math.abs(value) >= 10 || Number.isInteger(value)
    ? Math.round(value).toLocaleString('en-US')
    : Number(value.toPrecision(2)).toString()

/** `1 in 4,096`, from how surprising it is. */
export const oneIn = (bits: number): string =>
  bits > 30 ? 'less than 1 in 1,000,000,000' : `1 in ${Math.max(1, Math.round(2 ** bits)).toLocaleString('en-US')}`

/** `a, b and c`; more than `shown` are counted. */
export function listed(items: readonly string[], shown = 3): string {
  const named = items.slice(0, shown)
  const rest = items.length - named.length
  const all = rest > 0 ? [...named, `${rest.toLocaleString('en-US')} more`] : named
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all.at(-1) ?? ''}`
}

/** An address as people write it: IPv4 plain, an IPv6 /64 as such. */
export function address(network: string): string {
  return network.startsWith('::ffff:') ? network.slice(7) : `${network}/64`
}

export const addresses = (more: number): string => `${more} more address${more === 1 ? '' : 'es'}`

export const names = (texts: readonly string[], shown = 3): string => listed(texts.map(quoted), shown)

/** Who registered the apps. Unknown owners are unknown, neither one nor many. `owners`: of each app, '' when the registry does not know it. */
export function accounts(owners: readonly string[]): string {
  const known = new Set(owners.filter((owner) => owner !== '')).size
  const unknown = owners.filter((owner) => owner === '').length
  if (known === 0) return 'accounts that the registry does not know'
  const of = known === 1 ? 'one account' : `${known} accounts`
  if (unknown === 0) return of
  return `${of} that ${known === 1 ? 'is' : 'are'} known; of ${unknown} the account is not known`
}
