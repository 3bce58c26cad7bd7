// Sales of the marketplaces with the moment they came: what the delay monitor reads (D2).
import { days, from } from '../../query/query.ts'
import { marketplaceSales } from '../contracts/marketplace-sales.ts'

export const marketplaceArrivals = from(marketplaceSales, { with: ['_arrival', 'demo.pattern'] })
  .select('transaction_id', 'marketplace', 'transaction_time', '_arrival', 'demo.pattern', 'batch_id', 'record_number')
  .rename({ _arrival: 'arrived_at', 'demo.pattern': 'demo_pattern' })
  // A marketplace that sends a sale again sends it late.
  .deduplicate({ identity: ['transaction_id'], horizonMs: days(4) })
  .named('marketplace-arrivals')
