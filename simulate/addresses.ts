/**
 * Address space by country and hosting company. The prefixes are ones that really belong to access networks and to hosting
 * companies, so that a list of datacentre ranges (X4BNet/lists_vpn) sees the simulated addresses as it would see real ones:
 * homes and phones in none of its ranges, servers in its datacentre ranges, VPN exits in its VPN ranges.
 */
import { at, type Rng } from '#simulate/random.ts'

export interface Country {
  readonly code: string
  /** Offset from UTC, hours. */
  readonly offsetHours: number
  /** Relative number of people. */
  readonly weight: number
  /** IPv4 /16 prefixes of fixed lines. */
  readonly fixed: readonly string[]
  /** IPv4 /16 prefixes of mobile carriers, which put many people behind each address. */
  readonly mobile: readonly string[]
  /** IPv6 /32 prefixes. */
  readonly v6: readonly string[]
}

export const COUNTRIES: readonly Country[] = [
  {
    code: 'US',
    offsetHours: -5,
    weight: 22,
    fixed: ['73.12', '98.24', '71.172', '67.160', '24.5', '68.46'],
    mobile: ['172.56', '174.192', '107.77'],
    v6: ['2601:200', '2600:1000', '2607:fb90'],
  },
  {
    code: 'US-W',
    offsetHours: -8,
    weight: 10,
    fixed: ['73.162', '76.100', '99.20', '108.30'],
    mobile: ['166.137', '172.56'],
    v6: ['2601:640', '2607:fb90'],
  },
  {
    code: 'BR',
    offsetHours: -3,
    weight: 10,
    fixed: ['177.32', '179.100', '187.20', '200.150'],
    mobile: ['189.40', '187.68', '191.5'],
    v6: ['2804:14c'],
  },
  { code: 'MX', offsetHours: -6, weight: 5, fixed: ['187.140', '189.140'], mobile: ['187.190'], v6: ['2806:2f0'] },
  {
    code: 'GB',
    offsetHours: 0,
    weight: 8,
    fixed: ['86.140', '86.160', '90.200'],
    mobile: ['92.40', '82.132'],
    v6: ['2a00:23c4'],
  },
  {
    code: 'DE',
    offsetHours: 1,
    weight: 8,
    fixed: ['91.10', '91.40', '79.200', '84.140', '93.200', '217.90'],
    mobile: ['80.187', '109.41'],
    v6: ['2003:e1', '2a02:8108', '2a02:3030'],
  },
  {
    code: 'FR',
    offsetHours: 1,
    weight: 7,
    fixed: ['82.65', '90.20', '90.60'],
    mobile: ['37.165', '92.184'],
    v6: ['2a01:cb00', '2a01:e0a'],
  },
  { code: 'ES', offsetHours: 1, weight: 5, fixed: ['83.40', '88.5'], mobile: ['31.4'], v6: ['2a0c:5a80'] },
  { code: 'PL', offsetHours: 1, weight: 3, fixed: ['83.10', '83.20'], mobile: ['37.4'], v6: ['2a02:a310'] },
  { code: 'TR', offsetHours: 3, weight: 5, fixed: ['88.230', '78.165', '85.100'], mobile: ['176.90'], v6: ['2a02:e0'] },
  { code: 'NG', offsetHours: 1, weight: 3, fixed: ['102.89'], mobile: ['105.112'], v6: ['2c0f:2a80'] },
  {
    code: 'IN',
    offsetHours: 5.5,
    weight: 12,
    fixed: ['117.200', '117.220', '122.165'],
    mobile: ['49.36', '157.35'],
    v6: ['2409:4000', '2401:4900'],
  },
  {
    code: 'ID',
    offsetHours: 7,
    weight: 7,
    fixed: ['36.70', '36.80', '180.245'],
    mobile: ['114.122', '112.215'],
    v6: ['2001:448a'],
  },
  { code: 'PH', offsetHours: 8, weight: 4, fixed: ['112.198'], mobile: ['49.145'], v6: ['2405:8d40'] },
  {
    code: 'JP',
    offsetHours: 9,
    weight: 14,
    fixed: ['126.40', '60.70', '118.8'],
    mobile: ['49.98', '106.130', '126.200'],
    v6: ['2400:4050', '240d:1a'],
  },
  { code: 'KR', offsetHours: 9, weight: 5, fixed: ['121.140', '175.200'], mobile: ['175.200'], v6: ['2406:5900'] },
  { code: 'AU', offsetHours: 10, weight: 3, fixed: ['1.130', '101.165'], mobile: ['120.18'], v6: ['2001:8003'] },
]

export interface HostingCompany {
  readonly name: string
  readonly weight: number
  /** IPv4 /16 prefixes. */
  readonly v4: readonly string[]
  /** IPv6 /32 prefixes; empty where customers get none by default. */
  readonly v6: readonly string[]
}

const HOSTING_COMPANIES: readonly HostingCompany[] = [
  { name: 'aws', weight: 30, v4: ['3.80', '3.90', '54.160', '54.210', '18.204', '52.20'], v6: ['2600:1f18'] },
  { name: 'gcp', weight: 12, v4: ['34.72', '35.184', '35.200'], v6: ['2600:1900'] },
  { name: 'azure', weight: 9, v4: ['20.40', '40.76'], v6: ['2603:1030'] },
  { name: 'digitalocean', weight: 12, v4: ['167.99', '159.89', '138.68', '104.131'], v6: ['2604:a880', '2a03:b0c0'] },
  { name: 'hetzner', weight: 12, v4: ['5.9', '88.198', '95.216', '116.203', '136.243'], v6: ['2a01:4f8', '2a01:4f9'] },
  { name: 'ovh', weight: 9, v4: ['51.68', '54.36', '145.239'], v6: ['2001:41d0'] },
  { name: 'linode', weight: 6, v4: ['172.104', '139.162'], v6: ['2a01:7e00', '2600:3c00'] },
  { name: 'vultr', weight: 5, v4: ['45.76', '108.61', '149.28'], v6: ['2001:19f0'] },
  { name: 'scaleway', weight: 5, v4: ['51.15', '163.172', '62.210'], v6: ['2001:bc8'] },
]

/** IPv4 /24 prefixes of commercial VPN exits. */
export const VPN_PREFIXES: readonly string[] = [
  '188.74.160',
  '45.81.148',
  '93.88.144',
  '178.92.205',
  '172.94.125',
  '205.234.147',
  '149.33.16',
  '89.18.220',
  '50.118.189',
  '173.239.226',
  '37.191.127',
  '166.88.115',
  '193.9.32',
  '2.59.0',
  '172.94.16',
  '191.96.205',
  '64.137.10',
  '104.252.94',
  '38.180.11',
  '185.203.86',
  '23.26.132',
  '149.50.208',
  '89.44.100',
  '158.173.72',
  '38.48.122',
  '185.114.204',
  '89.116.204',
]

/** Hands out addresses, each once, unless a scenario shares one on purpose. */
export class AddressBook {
  private readonly rng: Rng
  private readonly taken = new Set<string>()

  constructor(rng: Rng) {
    this.rng = rng
  }

  private fresh(draw: () => string): string {
    for (;;) {
      const text = draw()
      if (this.taken.has(text)) continue
      this.taken.add(text)
      return text
    }
  }

  /** One unused IPv4 address under any of the prefixes (two or three octets each). */
  v4(prefixes: readonly string[]): string {
    const { rng } = this
    return this.fresh(() => {
      const prefix = rng.pick(prefixes)
      const third = prefix.split('.').length === 2 ? `.${rng.below(256)}` : ''
      return `${prefix}${third}.${rng.between(1, 254)}`
    })
  }

  /** `count` (at most 250) unused addresses side by side, as a customer with a small block of its own has them. */
  v4Block(prefixes: readonly string[], count: number): string[] {
    const { rng } = this
    for (;;) {
      const first = rng.between(1, 254 - count)
      const network = `${rng.pick(prefixes)}.${rng.below(256)}`
      const ips = Array.from({ length: count }, (_, index) => `${network}.${first + index}`)
      if (ips.some((ip) => this.taken.has(ip))) continue
      for (const ip of ips) this.taken.add(ip)
      return ips
    }
  }

  /** One unused /64 under any of the /32 prefixes: four groups without a trailing colon. */
  v6Subnet(prefixes: readonly string[]): string {
    const { rng } = this
    return this.fresh(() => `${rng.pick(prefixes)}:${rng.hex(4)}:${rng.hex(4)}`)
  }

  /** One unused /48 under any of the /32 prefixes: three groups without a trailing colon. */
  v6Site(prefixes: readonly string[]): string {
    const { rng } = this
    return this.fresh(() => `${rng.pick(prefixes)}:${rng.hex(4)}`)
  }
}

/** The company a customer would pick, by market share. */
export function companyOf(rng: Rng): HostingCompany {
  const total = HOSTING_COMPANIES.reduce((sum, company) => sum + company.weight, 0)
  let left = rng.next() * total
  for (const company of HOSTING_COMPANIES) {
    left -= company.weight
    if (left < 0) return company
  }
  return at(HOSTING_COMPANIES, 0)
}
