/** The configuration of the one-node KRaft broker that tests run on, the same as a process and in a container. */

/** Kafka wants 16 bytes in URL-safe base64. */
export const CLUSTER_ID = Buffer.from('sidestep-test-01').toString('base64url')

/** Clients of the SASL listener. ALICE may do anything until an access rule names the topic or group. */
export const ALICE = { username: 'alice', password: 'alice-secret' } as const
const ADMIN = { username: 'admin', password: 'admin-secret' } as const

/** What `kafka-storage format` must add for SCRAM: the credentials live in the metadata log. */
export const SCRAM_ARGUMENTS: readonly string[] = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
  '--add-scram',
  `${mechanism}=[name=${ALICE.username},password=${ALICE.password}]`,
])

export interface Ports {
  /** No TLS, no password; its clients are the super user ANONYMOUS. */
  readonly plain: number
  readonly sasl: number
  readonly tls: number
  readonly controller: number
}

export interface ServerPlace {
  readonly ports: Ports
  /** Address to listen on. */
  readonly bindHost: string
  /** Address that clients are told. */
  readonly host: string
  readonly dataDir: string
  /** Folder of server.pem (key and certificate) and ca.pem. */
  readonly tlsDir: string
  /** Milliseconds: the least session time-out that a consumer may ask for. */
  readonly minSessionTimeoutMs: number
  /** Added last, so it wins. */
  readonly overrides: Readonly<Record<string, string>>
}

const ONE_NODE = {
  // One node: nothing can be replicated.
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  // The defaults of 50 partitions only make the first group slow.
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.num.partitions': '1',
  'num.partitions': '1',
  'auto.create.topics.enable': 'false',
  // Faults show soon: no wait for more members, short sessions, retention and compaction looked at every second.
  'group.initial.rebalance.delay.ms': '0',
  'log.initial.task.delay.ms': '1000',
  'log.retention.check.interval.ms': '1000',
  'log.cleaner.backoff.ms': '500',
  // After a kill -9 the controller refuses the new process for as long as the old one's session lasts (9 s by default).
  'broker.session.timeout.ms': '3000',
  'broker.heartbeat.interval.ms': '500',
} as const

/** Passwords, certificates and access rules; without a rule everybody may do everything. */
function securityProperties(tlsDir: string): Record<string, string> {
  const plainModule = 'org.apache.kafka.common.security.plain.PlainLoginModule'
  const scramModule = 'org.apache.kafka.common.security.scram.ScramLoginModule'
  const users = [ADMIN, ALICE].map((user) => `user_${user.username}="${user.password}"`).join(' ')
  return {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'listener.name.sasl.plain.sasl.jaas.config': `${plainModule} required username="${ADMIN.username}" password="${ADMIN.password}" ${users};`,
    'listener.name.sasl.scram-sha-256.sasl.jaas.config': `${scramModule} required;`,
    'listener.name.sasl.scram-sha-512.sasl.jaas.config': `${scramModule} required;`,
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': `${tlsDir}/server.pem`,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': `${tlsDir}/ca.pem`,
    'ssl.client.auth': 'requested',
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': `User:ANONYMOUS;User:${ADMIN.username}`,
    'allow.everyone.if.no.acl.found': 'true',
  }
}

export function serverProperties(place: ServerPlace): string {
  const { ports, bindHost, host } = place
  const properties: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${ports.controller}`,
    listeners:
      `PLAIN://${bindHost}:${ports.plain},SASL://${bindHost}:${ports.sasl},TLS://${bindHost}:${ports.tls},` +
      `CONTROLLER://127.0.0.1:${ports.controller}`,
    'advertised.listeners': `PLAIN://${host}:${ports.plain},SASL://${host}:${ports.sasl},TLS://${host}:${ports.tls}`,
    'listener.security.protocol.map': 'PLAIN:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SSL,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAIN',
    'log.dirs': place.dataDir,
    ...ONE_NODE,
    'group.min.session.timeout.ms': String(place.minSessionTimeoutMs),
    ...securityProperties(place.tlsDir),
    ...place.overrides,
  }
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}
