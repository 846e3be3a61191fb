import type { Bytes } from '../bytes.ts'
import type { Nanos } from '../time.ts'
import { ascii } from './ascii.ts'
import type { Service } from './server.ts'

const DAYS = ['Thursday', 'Friday', 'Saturday', 'Sunday', 'Monday', 'Tuesday', 'Wednesday']
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const DAY = 86_400

/**
 * RFC 867: the date and the time as a line of text, to whoever connects and for every datagram.
 * `epoch`: what time 0 of the host's clock is, in whole seconds since 1970.
 */
export function daytime(epoch: number): Service {
  const line = (now: Nanos): Bytes => ascii(daytimeText(epoch + Math.floor(now / 1e9)))
  return {
    name: 'daytime',
    port: 13,
    answer: (_state, now) => line(now),
    greeting: line,
    endsAfterGreeting: true,
    sendsBack: false,
    more: () => null,
  }
}

/**
 * The first of the forms that RFC 867 suggests, in UTC: `Saturday, November 21, 2026 10:03:36-UTC`
 * and CR LF.
 *
 * @param seconds whole, since 1970; may be negative.
 */
export function daytimeText(seconds: number): string {
  const days = Math.floor(seconds / DAY)
  const { year, month, day } = civilFromDays(days)
  const rest = seconds - days * DAY
  const two = (n: number) => String(n).padStart(2, '0')
  const time = [Math.floor(rest / 3600), Math.floor(rest / 60) % 60, rest % 60].map(two).join(':')
  const weekday = DAYS[((days % 7) + 7) % 7]!
  return `${weekday}, ${MONTHS[month - 1]!} ${day}, ${year} ${time}-UTC\r\n`
}

/**
 * The Gregorian date of a day counted from 1970-01-01. Years are counted from March, so that the
 * leap day is the last of its year; 400 of them have 146,097 days.
 */
export function civilFromDays(days: number): { year: number; month: number; day: number } {
  const fromMarch = days + 719_468 // days since 0000-03-01
  const era = Math.floor(fromMarch / 146_097)
  const ofEra = fromMarch - era * 146_097
  // A leap day each 4 years, none each 100, one each 400.
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) /
      365,
  )
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  // March to January repeat 31, 30, 31, 30, 31 days: 153 in five months.
  const monthFromMarch = Math.floor((5 * ofYear + 2) / 153)
  const day = ofYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day }
}
