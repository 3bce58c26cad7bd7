// Written by `npm run serving:schema`: frozen once released.
import type { SchemaMigration } from '../migrations.ts'

export const orderItems: SchemaMigration = {
  name: '0002-order-items',
  steps: [
    {
      step: 'create',
      table: {
        name: 'order_items_enriched',
        topic: 'order-items-enriched',
        appends: true,
        time: 'order_date',
        columns: [
          { name: 'order_item_id', field: 'order_item_id', type: { kind: 'text' }, nullable: false },
          { name: 'order_id', field: 'order_id', type: { kind: 'text' }, nullable: false },
          { name: 'order_date', field: 'order_date', type: { kind: 'timestamp', from: 'iso' }, nullable: false },
          { name: 'product_id', field: 'product_id', type: { kind: 'text' }, nullable: false },
          { name: 'product_name', field: 'product_name', type: { kind: 'text' }, nullable: false },
          { name: 'category', field: 'category', type: { kind: 'text' }, nullable: false },
          {
            name: 'unit_price_minor',
            field: 'unit_price',
            type: { kind: 'minor', scale: 2, currency: 'USD' },
            nullable: false,
          },
          { name: 'quantity', field: 'quantity', type: { kind: 'integer' }, nullable: false },
          {
            name: 'discount_minor',
            field: 'discount',
            type: { kind: 'minor', scale: 2, currency: 'USD' },
            nullable: false,
          },
          {
            name: 'item_total_minor',
            field: 'item_total',
            type: { kind: 'minor', scale: 2, currency: 'USD' },
            nullable: false,
          },
          { name: 'ordered_at', field: 'ordered_at', type: { kind: 'timestamp', from: 'iso' }, nullable: true },
          { name: 'customer_id', field: 'customer_id', type: { kind: 'text' }, nullable: true },
          { name: 'order_status', field: 'order_status', type: { kind: 'text' }, nullable: true },
          { name: 'payment_method', field: 'payment_method', type: { kind: 'text' }, nullable: true },
          { name: 'shipping_country', field: 'shipping_country', type: { kind: 'text' }, nullable: true },
          { name: 'timing', field: 'timing', type: { kind: 'text' }, nullable: true },
        ],
      },
    },
  ],
}
