/** A certificate authority for one test run, a server certificate and a client certificate signed by it. Needs openssl 3. */
import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Valid for two days: as long as the longest run and no longer. */
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']

export interface Certificates {
  /** PEM texts. */
  readonly ca: string
  readonly clientCert: string
  readonly clientKey: string
  /** Key and certificate in one, as Kafka reads a PEM key store. */
  readonly server: string
}

/** Writes them into `dir` too: ca.pem, server.pem, client.pem, client.key. `host` is the name or address that clients connect to. */
export async function makeCertificates(dir: string, host: string): Promise<Certificates> {
  await mkdir(dir, { recursive: true })
  const openssl = async (args: readonly string[]): Promise<void> => {
    await run('openssl', ['req', '-x509', ...NEW_KEY, ...args], { cwd: dir })
  }
  await openssl(['-subj', '/CN=sidestep test authority', '-keyout', 'ca.key', '-out', 'ca.pem'])
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-addext', 'basicConstraints=critical,CA:FALSE']
  const names = new Set(['DNS:localhost', 'IP:127.0.0.1', `${isIP(host) === 0 ? 'DNS' : 'IP'}:${host}`])
  const serverNames = ['-addext', `subjectAltName=${[...names].join(',')}`]
  await openssl([...signed, ...serverNames, '-subj', '/CN=broker', '-keyout', 'server.key', '-out', 'server.crt'])
  await openssl([...signed, '-subj', '/CN=client', '-keyout', 'client.key', '-out', 'client.pem'])
  const read = async (name: string): Promise<string> => await readFile(join(dir, name), 'utf8')
  const server = `${await read('server.key')}${await read('server.crt')}`
  await writeFile(join(dir, 'server.pem'), server)
  return { server, ca: await read('ca.pem'), clientCert: await read('client.pem'), clientKey: await read('client.key') }
}
