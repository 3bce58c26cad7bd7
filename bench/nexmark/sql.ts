// The Nexmark queries in DuckDB's SQL, written by hand and for speed: nothing of the Plans is in them. Columns are named
// and numbers written as the Plans' results are, so that rows can be compared as text.
import type { NexmarkName } from './queries.ts'
import type { NexmarkTopic } from './traffic.ts'

const columns: Readonly<Record<NexmarkTopic, string>> = {
  persons: `id: 'BIGINT', name: 'VARCHAR', "at": 'TIMESTAMP'`,
  auctions: `id: 'BIGINT', seller: 'BIGINT', "at": 'TIMESTAMP'`,
  bids: `auction: 'BIGINT', bidder: 'BIGINT', price: 'BIGINT', "at": 'TIMESTAMP', extra: 'VARCHAR'`,
}

export function nexmarkSql(name: NexmarkName, files: Readonly<Record<NexmarkTopic, string>>): string {
  const read = (topic: NexmarkTopic): string =>
    `(SELECT * REPLACE (epoch_ms("at") AS "at") FROM read_json('${files[topic].replaceAll("'", "''")}', format = 'newline_delimited', columns = {${columns[topic]}}))`
  switch (name) {
    case 'q0':
      return `SELECT auction, bidder, price, "at", extra FROM ${read('bids')}`
    case 'q1':
      return `SELECT auction, bidder, price * 908 AS thousandths, "at", extra FROM ${read('bids')}`
    case 'q2':
      return `SELECT auction, price FROM ${read('bids')} WHERE auction % 123 = 0`
    case 'q5':
      return `
        WITH panes AS (SELECT "at" // 2000 AS pane, auction, count(*) AS n FROM ${read('bids')} GROUP BY ALL),
        hops AS (SELECT pane + unnest(range(5)) AS last, auction, n FROM panes),
        counted AS (SELECT last, auction, sum(n)::BIGINT AS num FROM hops GROUP BY ALL)
        SELECT (last - 4) * 2000 AS window_start, (last + 1) * 2000 AS window_end, auction, num FROM counted
        QUALIFY row_number() OVER (PARTITION BY last ORDER BY num DESC, auction) = 1`
    case 'q7':
      return `
        WITH numbered AS (SELECT *, row_number() OVER () AS place FROM ${read('bids')})
        SELECT "at" // 10000 * 10000 AS window_start, ("at" // 10000 + 1) * 10000 AS window_end, price, auction, bidder
        FROM numbered
        QUALIFY row_number() OVER (PARTITION BY "at" // 10000 ORDER BY price DESC, "at", place) = 1`
    case 'q8':
      return `
        WITH joined AS (SELECT "at" // 10000 AS pane, id, name, count(*) AS joined FROM ${read('persons')} GROUP BY ALL),
        opened AS (SELECT "at" // 10000 AS pane, seller, count(*) AS opened FROM ${read('auctions')} GROUP BY ALL)
        SELECT pane * 10000 AS window_start, (pane + 1) * 10000 AS window_end, id, name, joined, seller, opened
        FROM joined JOIN opened USING (pane) WHERE id = seller`
    case 'q11':
      return `
        WITH apart AS (
          SELECT bidder, "at", coalesce("at" - lag("at") OVER past >= 10000, true) AS begins
          FROM ${read('bids')} WINDOW past AS (PARTITION BY bidder ORDER BY "at")),
        visits AS (
          SELECT bidder, "at", count(*) FILTER (WHERE begins) OVER (PARTITION BY bidder ORDER BY "at") AS visit FROM apart)
        SELECT min("at") AS window_start, max("at") + 10000 AS window_end, bidder, count(*) AS num,
          min("at") AS first, max("at") AS last
        FROM visits GROUP BY bidder, visit`
  }
}
