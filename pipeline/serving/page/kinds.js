// How complete a feed's day is, in a sign, words and a sentence's end; the same in the calendars and in the small charts.

export const KINDS = {
  complete: ["✓", "complete", "is complete", "are complete"],
  partial: ["◐", "some missing", "has gaps", "have gaps"],
  absent: ["✗", "all missing", "lacks all that was expected", "lack all that was expected"],
  nothing: ["∅", "nothing at all", "has nothing at all", "have nothing at all"],
  before: ["·", "before its first reading", "is before the first reading", "are before the first reading"],
};

/** The kind of a day: `row` is the API's, if it has one; `first` is the first day with a reading, if there is any. */
export function kindOf(row, day, first) {
  if (!row) return first && day < first ? "before" : "nothing";
  if (row.intervals_missing === 0) return "complete";
  return row.intervals_received > 0 ? "partial" : "absent";
}
