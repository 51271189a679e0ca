/** User agents as clients really send them: SDK defaults, browsers, phones, and strings of an app's own. */
import { type Rng, Weighted } from '#simulate/random.ts'

/** Family, relative frequency among servers and scripts, and versions in the wild. `%` stands for the version. */
const SDK_AGENTS = [
  { text: 'python-requests/%', weight: 24, versions: ['2.25.1', '2.27.1', '2.28.2', '2.31.0', '2.31.0', '2.32.3'] },
  { text: 'axios/%', weight: 14, versions: ['0.21.4', '0.27.2', '1.4.0', '1.6.8', '1.7.2'] },
  { text: 'Go-http-client/%', weight: 9, versions: ['1.1', '2.0', '2.0'] },
  { text: 'okhttp/%', weight: 6, versions: ['3.14.9', '4.9.3', '4.11.0', '4.12.0'] },
  { text: 'curl/%', weight: 5, versions: ['7.68.0', '7.81.0', '8.4.0', '8.5.0'] },
  { text: 'node-fetch/%', weight: 5, versions: ['1.0'] },
  { text: 'node', weight: 4, versions: ['-'] },
  { text: 'GuzzleHttp/%', weight: 6, versions: ['6.5.5', '7', '7'] },
  { text: 'Java/%', weight: 3, versions: ['1.8.0_392', '11.0.21', '17.0.9'] },
  { text: 'Apache-HttpClient/% (Java/11.0.21)', weight: 4, versions: ['4.5.13', '5.2.1'] },
  { text: 'Ruby', weight: 3, versions: ['-'] },
  { text: 'Faraday v%', weight: 2, versions: ['1.10.3', '2.7.4', '2.9.0'] },
  { text: 'Python/3.11 aiohttp/%', weight: 5, versions: ['3.8.6', '3.9.1', '3.9.5'] },
  { text: 'python-httpx/%', weight: 4, versions: ['0.24.1', '0.25.2', '0.27.0'] },
  { text: 'Python tweepy/%', weight: 8, versions: ['3.10.0', '4.10.1', '4.14.0', '4.14.0'] },
  { text: 'PostmanRuntime/%', weight: 2, versions: ['7.32.3', '7.36.0'] },
  { text: 'RestSharp/%', weight: 2, versions: ['106.15.0.0', '110.2.0.0'] },
  { text: 'reqwest/%', weight: 1, versions: ['0.11.22', '0.12.4'] },
  { text: '', weight: 3, versions: ['-'] },
] as const

const SDK = new Weighted(
  SDK_AGENTS,
  SDK_AGENTS.map((agent) => agent.weight),
)

/** The default agent of whatever library a server or script uses; '' when it sends none. */
export function sdkAgent(rng: Rng): string {
  const agent = SDK.pick(rng)
  return agent.text.replace('%', rng.pick(agent.versions))
}

const DESKTOPS = [
  'Windows NT 10.0; Win64; x64',
  'Windows NT 10.0; Win64; x64',
  'Macintosh; Intel Mac OS X 10_15_7',
  'X11; Linux x86_64',
  'X11; Ubuntu; Linux x86_64',
] as const
const PHONES = [
  'iPhone; CPU iPhone OS 17_1 like Mac OS X',
  'iPhone; CPU iPhone OS 16_6 like Mac OS X',
  'iPhone; CPU iPhone OS 18_1 like Mac OS X',
  'Linux; Android 13; SM-A536B',
  'Linux; Android 14; Pixel 7',
  'Linux; Android 12; M2101K6G',
  'Linux; Android 10; K',
  'Linux; Android 14; SM-S918B',
] as const

/** A web browser, by the platform's usual frozen forms. */
export function browserAgent(rng: Rng, phone: boolean): string {
  const platform = rng.pick(phone ? PHONES : DESKTOPS)
  const version = rng.between(115, 131)
  if (platform.startsWith('iPhone') || (platform.startsWith('Mac') && rng.chance(0.5))) {
    const mobile = platform.startsWith('iPhone') ? ' Mobile/15E148' : ''
    return `Mozilla/5.0 (${platform}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.${rng.below(5)}${mobile} Safari/605.1.15`
  }
  if (!phone && rng.chance(0.15))
    return `Mozilla/5.0 (${platform}; rv:${version}.0) Gecko/20100101 Firefox/${version}.0`
  const mobile = phone ? ' Mobile' : ''
  return `Mozilla/5.0 (${platform}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0${mobile} Safari/537.36`
}

/** A name as it appears in a product token: letters and digits only. */
function productToken(name: string): string {
  const token = name.replaceAll(/[^A-Za-z0-9]/g, '')
  return token === '' ? 'App' : token
}

function versionText(rng: Rng): string {
  return `${rng.between(0, 6)}.${rng.between(0, 19)}${rng.chance(0.5) ? `.${rng.between(0, 9)}` : ''}`
}

/** What an app's own server calls itself when its developer cared to set it. */
export function customAgent(rng: Rng, name: string, website: string | undefined): string {
  const token = productToken(name)
  const style = rng.below(4)
  if (style === 0) return `${token}/${versionText(rng)}`
  if (style === 1) return `${token}/${versionText(rng)} (+${website ?? 'https://example.org'})`
  if (style === 2)
    return `${token.toLowerCase()}-${rng.pick(['worker', 'client', 'sync', 'bot', 'backend', 'fetcher'])}/${versionText(rng)}`
  return `${token}Bot/${versionText(rng)} ${sdkAgent(rng)}`.trim()
}

/** The strings an app's people send, at most `most`: app builds by platform and version, browsers, or an SDK inside the app. */
export function audienceAgents(rng: Rng, name: string, most: number): string[] {
  return anyAgents(rng, name).slice(0, most)
}

function anyAgents(rng: Rng, name: string): string[] {
  const token = productToken(name)
  const style = rng.next()
  if (style < 0.35) {
    return Array.from({ length: rng.between(4, 16) }, () => browserAgent(rng, rng.chance(0.6)))
  }
  if (style < 0.8) {
    const versions = Array.from({ length: rng.between(1, 4) }, () => versionText(rng))
    return Array.from({ length: rng.between(2, 10) }, () =>
      rng.chance(0.5)
        ? `${token}/${rng.pick(versions)} (iPhone; iOS ${rng.between(15, 18)}.${rng.below(6)}; Scale/3.00)`
        : `${token}/${rng.pick(versions)} (Android ${rng.between(10, 15)})`,
    )
  }
  return rng.chance(0.6)
    ? [`okhttp/${rng.pick(['3.14.9', '4.9.3', '4.12.0'])}`]
    : [`${token}/1 CFNetwork/1410.1 Darwin/22.6.0`, `${token}/1 CFNetwork/1494.0.7 Darwin/23.4.0`]
}
