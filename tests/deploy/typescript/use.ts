// What a program does with the client that is made from /openapi.json: node use.js ADDRESS TOKEN; prints JSON.
import { client } from './client/client.gen'
import { getFeedDays, getFile, getFiles, getMeterReadings, getMeters } from './client'
import type { Meter, Problem, Reading } from './client'

const [address, token] = process.argv.slice(2)
const year = { from: '2021-01-01', to: '2021-12-31' }

/** Exact sums: six digits after the point become an integer. */
const millionths = (decimal: string): bigint => BigInt(decimal.replace('.', ''))

const cursorOf = (next: string): string => new URL(next, address).searchParams.get('cursor') ?? ''

async function allMeters(): Promise<Meter[]> {
  const found: Meter[] = []
  let cursor: string | undefined
  do {
    const { data } = await getMeters({ query: { limit: 5, ...(cursor === undefined ? {} : { cursor }) }, throwOnError: true })
    found.push(...data.data)
    cursor = data.next === null ? undefined : cursorOf(data.next)
  } while (cursor !== undefined)
  return found
}

/** Compiles only if the document says which values are always there, and which may be null. */
function typed(reading: Reading): string {
  const energy: string = reading.energy_kwh
  // @ts-expect-error: a source may say nothing of a value's quality
  const quality: string = reading.quality
  // @ts-expect-error: sums have no delivery of their own
  const file: number = reading.file_id
  return `${energy} ${quality} ${file}`
}

async function energyOf(meter: Meter): Promise<string> {
  const asked = { path: { meter_id: meter.meter_id }, query: { ...year, feed: meter.feed, limit: 10_000 } }
  const { data } = await getMeterReadings({ ...asked, throwOnError: true })
  data.data.forEach(typed)
  return data.data.reduce((sum, reading) => sum + millionths(reading.energy_kwh), 0n).toString()
}

async function problemOf(asked: Promise<{ error?: Problem | undefined }>): Promise<string | undefined> {
  const { error } = await asked
  return error === undefined ? undefined : `${error.status} ${error.parameter ?? ''}`.trim()
}

async function main(): Promise<void> {
  client.setConfig({ baseUrl: address ?? '' })
  const stranger = await problemOf(getMeters())
  client.setConfig({ auth: () => token ?? '' })
  const meters = await allMeters()
  const readings: Record<string, string> = {}
  for (const meter of meters) readings[`${meter.feed} ${meter.meter_id}`] = await energyOf(meter)
  const days = await getFeedDays({ query: { ...year, limit: 10_000 }, throwOnError: true })
  const refused = await getFiles({ query: { status: 'rejected' }, throwOnError: true })
  const reasons = await Promise.all(
    refused.data.data.map(async ({ file_id }) => (await getFile({ path: { file_id }, throwOnError: true })).data.reason_code)
  )
  console.log(
    JSON.stringify({
      stranger,
      readings,
      days: days.data.data.reduce((sum, day) => sum + millionths(day.energy_kwh), 0n).toString(),
      reasons: reasons.sort(),
      wrongFeed: await problemOf(getMeters({ query: { feed: 'water' } })),
      wrongDay: await problemOf(getFeedDays({ query: { from: 'yesterday', to: year.to } }))
    })
  )
}

void main()
