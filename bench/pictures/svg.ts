/**
 * SVG by plain strings, readable in light and in dark mode: the colours are classes whose values a media query switches, and each picture
 * brings its own background, because a page's theme need not be the system's. Pure.
 */

/** Text sizes in pixels; widths of text are estimated from them, as no font is at hand to measure with. */
export const FONT_PX = 13

const STYLE = `
.background { fill: #ffffff }
.text { fill: #1f2328; font: ${FONT_PX}px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif }
.title { font-weight: 600 }
.muted { fill: #59636e }
.grid { stroke: #d1d9e0; stroke-width: 1 }
.track { fill: #f0f2f5 }
.ours { fill: #0a5cad }
.theirs { fill: #8c96a0 }
.ours-line { fill: none; stroke: #0a5cad; stroke-width: 2 }
.second { fill: #b35900 }
.second-line { fill: none; stroke: #b35900; stroke-width: 2; stroke-dasharray: 6 3 }
.on-ours { fill: #ffffff }
@media (prefers-color-scheme: dark) {
.background { fill: #0d1117 }
.text { fill: #e6edf3 }
.muted { fill: #9198a1 }
.grid { stroke: #3d444d }
.track { fill: #1b222b }
.ours { fill: #58a6ff }
.theirs { fill: #6e7681 }
.ours-line { stroke: #58a6ff }
.second { fill: #e3a04f }
.second-line { stroke: #e3a04f }
.on-ours { fill: #0d1117 }
}`

/** A whole picture. `description` says in words what it shows, for those who cannot see it. */
export function svg(width: number, height: number, description: string, body: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escape(description)}</title>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="background" width="${width}" height="${height}"/>`,
    ...body,
    '</svg>\n',
  ].join('\n')
}

export interface TextOptions {
  readonly anchor?: 'start' | 'middle' | 'end'
  /** Beside `text`: title, muted, on-ours. */
  readonly look?: string
  /** Degrees, around the point. */
  readonly rotate?: number
}

export function text(x: number, y: number, content: string, options: TextOptions = {}): string {
  const { anchor = 'start', look = '', rotate } = options
  const turned = rotate === undefined ? '' : ` transform="rotate(${rotate} ${coordinate(x)} ${coordinate(y)})"`
  const place = `x="${coordinate(x)}" y="${coordinate(y)}" text-anchor="${anchor}"${turned}`
  return `<text class="text ${look}" ${place}>${escape(content)}</text>`
}

export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** `opacity` in 0..1. */
export function rect({ x, y, width, height }: Box, look: string, opacity = 1): string {
  const size = `x="${coordinate(x)}" y="${coordinate(y)}" width="${coordinate(width)}" height="${coordinate(height)}"`
  return `<rect class="${look}" ${size}${opacity === 1 ? '' : ` fill-opacity="${opacity.toFixed(2)}"`}/>`
}

export function line(from: readonly [number, number], to: readonly [number, number], look: string): string {
  const [x1, y1, x2, y2] = [...from, ...to].map(coordinate)
  return `<line class="${look}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`
}

export function polyline(points: readonly (readonly [number, number])[], look: string): string {
  const list = points.map(([x, y]) => `${coordinate(x)},${coordinate(y)}`).join(' ')
  return `<polyline class="${look}" points="${list}"/>`
}

export function circle(x: number, y: number, radius: number, look: string): string {
  return `<circle class="${look}" cx="${coordinate(x)}" cy="${coordinate(y)}" r="${coordinate(radius)}"/>`
}

/** A tenth of a pixel is finer than anybody sees and keeps the files small. */
function coordinate(value: number): string {
  return String(Math.round(value * 10) / 10)
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
