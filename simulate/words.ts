/** Word lists for names, descriptions and accounts. Several lists share words, as real registries do. */

/** Items of a text that separates them with commas. */
function list(text: string): readonly string[] {
  return text.split(',').map((item) => item.trim())
}

export const ADJECTIVES = list(`
  Bright, Quick, Daily, Simple, Open, Little, Super, Happy, Blue, Red, Silent, Clever, Tiny, Prime, Next, Smart,
  Easy, Fresh, Golden, Lazy, Local, Mega, Neat, Pixel, Rapid, Social, True, Urban, Wild, Zen, Hyper, Clear, Cosmic,
  Night, Royal, Swift, Velvet, Electric, Northern, Lucky
`)

export const NOUNS = list(`
  Feed, Post, Pulse, Chirp, Wave, Deck, Board, Stream, Signal, Radar, Fox, Owl, Beacon, Garden, Desk, Lab, Forge,
  Hub, Lens, Link, Loop, Metric, Monitor, News, Note, Planner, Queue, Reach, Scout, Spark, Story, Studio, Tracker,
  Trend, Voice, Weather, Club, Market, Ticker, Bridge, Compass, Crow, Harbor, Kite, Lantern, Mint, Orbit, Panda,
  Quill, River, Stack, Tide, Vault, Whale, Yard
`)

export const SYLLABLES = list(`
  ba, cor, de, fi, gra, hu, jo, ka, li, mo, na, or, pe, qui, ra, so, ti, u, vel, wen, xa, yo, zu, lum, nex, ter,
  vo, syn, dra, plo, ster, mir, tal, zen, bry
`)

export const FIRST_NAMES = list(`
  alex, maria, sam, yuki, priya, joao, lena, omar, chen, fatima, tom, ana, kofi, ivan, sofia, li, mehmet, sara,
  dan, nina, pedro, emma, raj, hana, luc, amy, jan, eva, ken, zoe, max, olu, rosa
`)

export const LAST_NAMES = list(`
  smith, garcia, mueller, tanaka, silva, kim, patel, okafor, dubois, yilmaz, novak, santos, wang, jones, rossi,
  kowalski, lopez, ito, brown, martin, nguyen, reyes, singh, lee, fischer, moreau, costa, ward
`)

/** Words of an environment as developers write them, by environment. */
export const ENVIRONMENT_WORDS = {
  development: ['dev', 'Dev', 'DEV', 'development', 'Development'],
  staging: ['staging', 'Staging', 'stage', 'STG', 'stg'],
  production: ['prod', 'Prod', 'production', 'Production', 'PROD'],
} as const

/** What people type who register a key for themselves and care little. */
export const THROWAWAY_NAMES = list(`
  test, my app, testing, app, mybot, api test, hello, personal use, asdf, first app, new app, stuff, bot,
  my project, playground, demo, script, my key, private, app1, Test App, python, homework, data
`)

/** Sentences that say nothing about the use case. */
export const FILLER_SENTENCES = [
  'Made with love.',
  'Still in beta.',
  'For personal use only.',
  'Trusted by teams everywhere.',
  'Free and open source.',
  'Contact us for questions.',
  'We never post without asking.',
  'Work in progress.',
  'A side project.',
  'Used internally.',
  'Sign in to get started.',
  'No data is sold.',
  'Available on iOS and Android.',
  'Runs on a small server.',
  'A weekend hack.',
] as const

export const CITIES = list(`
  Berlin, Lagos, Tokyo, Austin, Recife, Lyon, Izmir, Pune, Jakarta, Leeds, Madrid, Seoul, Cebu, Perth, Warsaw,
  Monterrey, Denver, Osaka, Boston, Hamburg, Delhi, Porto Alegre, Gdansk, Nantes, Seville, Kano
`)

export const TOPICS = list(`
  football, crypto, weather, elections, music, jobs, stocks, earthquakes, recipes, gaming, transit, books,
  startups, movies, science, deals, art, health, travel, cats, cycling, climate, fashion, space, poetry
`)
