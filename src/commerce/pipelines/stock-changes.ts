// Changes of stock as the stock monitor reads them: each once (E5).
import { from, hours } from '../../query/query.ts'
import { inventoryUpdates } from '../contracts/inventory-updates.ts'

export const stockChanges = from(inventoryUpdates)
  .deduplicate({ identity: ['event_id'], horizonMs: hours(1) })
  .select('timestamp', 'product_id', 'product_name', 'warehouse_location', 'stock_change', 'current_stock')
  .named('stock-changes')
