// Decimals come as text, because a JSON number might become a float. They stay exact here: sums use millionths.

export const micro = (text) => BigInt(text.replace(".", ""));

export function decimal(millionths) {
  const digits = (millionths < 0n ? -millionths : millionths).toString().padStart(7, "0");
  return `${millionths < 0n ? "-" : ""}${digits.slice(0, -6)}.${digits.slice(-6)}`;
}

export const sum = (texts) => decimal(texts.reduce((total, text) => total + micro(text), 0n));

/** The row with the largest value in that column; the first if there are several. */
export function most(rows, column) {
  return rows.reduce((best, row) => (best && micro(best[column]) >= micro(row[column]) ? best : row), undefined);
}

/** A count for people: 1 meter, 12 meters. */
export const counted = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
