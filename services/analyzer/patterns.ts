/** Patterns of the tuning: what names nobody. Part of it, and of its hash. */

/** User agents that name a library, a tool or a browser rather than a program: sharing one says nothing (0 bits). RE2 syntax. */
export const DEFAULT_USER_AGENTS =
  '(?i)^(python-requests|python-urllib|python-httpx|httpx|aiohttp|python/|urllib|okhttp|axios|got[ /(]|node|undici|node-fetch|' +
  'go-http-client|go-resty|resty|curl|wget|libcurl|java/|java-http-client|apache-httpclient|jersey|unirest|ruby|faraday|rest-client|httparty|' +
  'guzzle|php|symfony|perl|libwww|lwp|dart|alamofire|cfnetwork|darwin|reqwest|hyper|rust|restsharp|dotnet|\\.net|' +
  'postmanruntime|insomnia|httpie|powershell|mozilla/|opera/|dalvik|twurl|python tweepy|tweepy|twitter4j|twython|twitterapiexchange|' +
  'boto|aws-sdk|google-api|openai|apache|spring|feign|finagle|akka|scala|elixir|hackney|erlang|deno|bun/|ky/|superagent|kotlin|ktor)'

/** Words that name an environment, or nothing at all; they are taken off a name before its stem is compared. RE2 syntax. */
export const EMPTY_WORDS =
  '\\b(dev|devel|develop|development|developer|test|testing|tests|tst|qa|uat|sandbox|stage|staging|stg|preprod|preproduction|pre|prod|production|prd|live|' +
  'app|apps|application|my|our|the|a|an|of|for|and|api|apis|bot|bots|client|tool|tools|script|scripts|demo|sample|example|tutorial|lab|labs|hw|homework|' +
  'assignment|exercise|project|class|course|student|hello|world|first|new|personal|private|use|usage|service|server|python|node|java|ruby|php|key|keys|' +
  'twitter|data|v)\\b'

/** Domains that stand in a form because something had to: addresses, names reserved for documentation (RFC 2606). RE2 syntax. */
export const EMPTY_DOMAINS =
  '(^|\\.)(localhost|local|test|example|invalid|internal)$|(^|\\.)example\\.(com|org|net)$|^[0-9.]+$|^\\['

/** Platforms whose customers own a label below them: a shared suffix is no shared owner. RE2 syntax. */
export const HOSTING_SUFFIXES =
  '(herokuapp\\.com|github\\.io|gitlab\\.io|vercel\\.app|netlify\\.app|azurewebsites\\.net|web\\.app|firebaseapp\\.com|amazonaws\\.com|' +
  'cloudfunctions\\.net|run\\.app|onrender\\.com|fly\\.dev|glitch\\.me|repl\\.co|pythonanywhere\\.com|ngrok\\.io|ngrok-free\\.app|pages\\.dev|workers\\.dev)$'
