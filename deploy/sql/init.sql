-- Tables of Millrace's serving store for PostgreSQL 15 and newer: one for each result topic, a row under each key.
-- Printed from the migrations by `npm run serving:schema`. Millrace makes them by itself when it starts.

create table "sink_progress" ("sink" text not null, "partition" integer not null, "next_offset" bigint not null, "epoch" bigint not null, constraint "sink_progress_pk" primary key ("sink", "partition"));
create table "sink_owner" ("sink" text primary key, "topic_id" text not null, "epoch" bigint not null);

-- topic bought-together
create table "bought_together" (
  "product_id" text not null,
  "other_id" text not null,
  "baskets" bigint not null,
  "timing" text,
  "_key" text primary key,
  "_partition" integer not null,
  "_offset" bigint not null,
  "_evidence" jsonb
);

-- topic cart-abandonments
create table "cart_abandonments" (
  "session_id" text not null,
  "user_id" text not null,
  "product_ids" jsonb not null,
  "value_minor" bigint,
  "last_cart_at" timestamptz not null,
  "abandoned_at" timestamptz not null,
  "_key" text primary key,
  "_partition" integer not null,
  "_offset" bigint not null,
  "_evidence" jsonb
);
create index "cart_abandonments_by_time" on "cart_abandonments" ("last_cart_at", "_key");

-- topic fraud-alerts
create table "fraud_alerts" (
  "alert_id" text not null,
  "of" text not null,
  "order_id" text not null,
  "customer_id" text not null,
  "case_id" text not null,
  "score" double precision not null,
  "severity" text not null,
  "reasons" jsonb not null,
  "sentence" text not null,
  "values" jsonb not null,
  "amount_minor" bigint not null,
  "expected_loss_minor" bigint not null,
  "seller" text,
  "occurred_at" timestamptz not null,
  "detected_at" timestamptz not null,
  "model" text not null,
  "_key" text primary key,
  "_partition" integer not null,
  "_offset" bigint not null,
  "_evidence" jsonb
);
create index "fraud_alerts_by_time" on "fraud_alerts" ("detected_at", "_key");

-- topic funnel
create table "funnel" (
  "funnel_id" text not null,
  "window_start" timestamptz not null,
  "window_end" timestamptz not null,
  "size_seconds" bigint not null,
  "category" text,
  "entered" bigint not null,
  "carted" bigint not null,
  "purchased" bigint not null,
  "cart_rate" double precision,
  "purchase_rate" double precision,
  "conversion" double precision,
  "cart_drop_off" double precision,
  "purchase_drop_off" double precision,
  "median_seconds" double precision,
  "mean_seconds" double precision,
  "conversion_window_seconds" bigint not null,
  "is_final" boolean not null,
  "_key" text primary key,
  "_partition" integer not null,
  "_offset" bigint not null,
  "_evidence" jsonb
);
create index "funnel_by_time" on "funnel" ("window_end", "_key");

-- topic marketplace-hourly
create table "marketplace_hourly" (
  "window_start" timestamptz not null,
  "window_end" timestamptz not null,
  "marketplace" text not null,
  "sales" bigint not null,
  "units" bigint not null,
  "revenue_minor" bigint not null,
  "avg_sale_minor" bigint not null,
  "timing" text,
  "_key" text primary key,
  "_partition" integer not null,
  "_offset" bigint not null,
  "_evidence" jsonb
);
create index "marketplace_hourly_by_time" on "marketplace_hourly" ("window_end", "_key");

-- topic order-items-enriched
create table "order_items_enriched" (
  "order_item_id" text not null,
  "order_id" text not null,
  "order_date" timestamptz not null,
  "product_id" text not null,
  "product_name" text not null,
  "category" text not null,
  "unit_price_minor" bigint not null,
  "quantity" bigint not null,
  "discount_minor" bigint not null,
  "item_total_minor" bigint not null,
  "ordered_at" timestamptz,
  "customer_id" text,
  "order_status" text,
  "payment_method" text,
  "shipping_country" text,
  "timing" text,
  "_key" text primary key,
  "_partition" integer not null,
  "_offset" bigint not null,
  "_evidence" jsonb
);
create index "order_items_enriched_by_time" on "order_items_enriched" ("order_date", "_key");

-- topic orders-enriched
create table "orders_enriched" (
  "order_id" text not null,
  "customer_id" text not null,
  "order_date" timestamptz not null,
  "status" text not null,
  "payment_method" text not null,
  "currency" text not null,
  "subtotal_minor" bigint not null,
  "discount_minor" bigint not null,
  "shipping_cost_minor" bigint not null,
  "tax_amount_minor" bigint not null,
  "total_amount_minor" bigint not null,
  "shipping_country" text not null,
  "shipping_state" text,
  "updated_at" timestamptz,
  "customer_name" text,
  "customer_segment" text,
  "customer_country" text,
  "timing" text,
  "_key" text primary key,
  "_partition" integer not null,
  "_offset" bigint not null,
  "_evidence" jsonb
);
create index "orders_enriched_by_time" on "orders_enriched" ("updated_at", "_key");

-- topic processed-orders
create table "processed_orders" (
  "order_id" text not null,
  "user_id" text not null,
  "product_id" text not null,
  "amount_minor" bigint not null,
  "timestamp" timestamptz not null,
  "product_name" text not null,
  "timing" text,
  "_key" text primary key,
  "_partition" integer not null,
  "_offset" bigint not null,
  "_evidence" jsonb
);
create index "processed_orders_by_time" on "processed_orders" ("timestamp", "_key");

-- topic product-metrics
create table "product_metrics" (
  "window_start" timestamptz not null,
  "window_end" timestamptz not null,
  "product_id" text not null,
  "product_name" text not null,
  "order_count" bigint not null,
  "total_revenue_minor" bigint not null,
  "avg_order_value_minor" bigint not null,
  "is_final" boolean,
  "timing" text,
  "_key" text primary key,
  "_partition" integer not null,
  "_offset" bigint not null,
  "_evidence" jsonb
);
create index "product_metrics_by_time" on "product_metrics" ("window_end", "_key");

-- topic product-sales
create table "product_sales" (
  "window_start" timestamptz not null,
  "window_end" timestamptz not null,
  "product_id" text not null,
  "product_name" text not null,
  "purchases" bigint not null,
  "units" bigint not null,
  "revenue_minor" bigint not null,
  "buyers" bigint not null,
  "timing" text,
  "_key" text primary key,
  "_partition" integer not null,
  "_offset" bigint not null,
  "_evidence" jsonb
);
create index "product_sales_by_time" on "product_sales" ("window_end", "_key");

-- topic sales-events
create table "sales_events" (
  "event_id" text not null,
  "kind" text not null,
  "direction" text not null,
  "of_type" text,
  "of_name" text,
  "status" text not null,
  "severity" text not null,
  "since" timestamptz not null,
  "detected_at" timestamptz not null,
  "updated_at" timestamptz not null,
  "resolved_at" timestamptz,
  "observed" double precision not null,
  "expected" double precision not null,
  "growth" double precision not null,
  "growth_previous" double precision,
  "confidence" double precision not null,
  "sentence" text not null,
  "recommendation" text not null,
  "dominant_seller" text,
  "dominant_share" double precision,
  "seller_hhi" double precision not null,
  "active_sellers" bigint not null,
  "top_category" text,
  "top_category_share" double precision,
  "detections" bigint not null,
  "notified" boolean not null,
  "rule" text not null,
  "window_start" timestamptz not null,
  "window_end" timestamptz not null,
  "_key" text primary key,
  "_partition" integer not null,
  "_offset" bigint not null,
  "_evidence" jsonb
);
create index "sales_events_by_time" on "sales_events" ("window_end", "_key");

-- topic sales-per-second
create table "sales_per_second" (
  "window_start" timestamptz not null,
  "window_end" timestamptz not null,
  "sales" bigint not null,
  "revenue_minor" bigint not null,
  "timing" text,
  "_key" text primary key,
  "_partition" integer not null,
  "_offset" bigint not null,
  "_evidence" jsonb
);
create index "sales_per_second_by_time" on "sales_per_second" ("window_end", "_key");

-- topic sales-window
create table "sales_window" (
  "window_start" timestamptz not null,
  "window_end" timestamptz not null,
  "sales" bigint not null,
  "revenue_minor" bigint not null,
  "avg_ticket_minor" bigint not null,
  "active_sellers" bigint not null,
  "active_categories" bigint not null,
  "active_products" bigint not null,
  "biggest_sale_minor" bigint not null,
  "timing" text,
  "_key" text primary key,
  "_partition" integer not null,
  "_offset" bigint not null,
  "_evidence" jsonb
);
create index "sales_window_by_time" on "sales_window" ("window_end", "_key");

-- topic store-metrics
create table "store_metrics" (
  "window_start" timestamptz not null,
  "window_end" timestamptz not null,
  "views" bigint not null,
  "carts" bigint not null,
  "searches" bigint not null,
  "purchases" bigint not null,
  "active_users" bigint not null,
  "cart_rate_minor" bigint,
  "purchase_rate_minor" bigint,
  "conversion_rate_minor" bigint,
  "timing" text,
  "_key" text primary key,
  "_partition" integer not null,
  "_offset" bigint not null,
  "_evidence" jsonb
);
create index "store_metrics_by_time" on "store_metrics" ("window_end", "_key");

-- topic store-sales
create table "store_sales" (
  "window_start" timestamptz not null,
  "window_end" timestamptz not null,
  "purchases" bigint not null,
  "buyers" bigint not null,
  "revenue_minor" bigint not null,
  "tax_minor" bigint not null,
  "shipping_minor" bigint not null,
  "timing" text,
  "_key" text primary key,
  "_partition" integer not null,
  "_offset" bigint not null,
  "_evidence" jsonb
);
create index "store_sales_by_time" on "store_sales" ("window_end", "_key");

-- topic traffic-alerts
create table "traffic_alerts" (
  "alert_id" text not null,
  "kind" text not null,
  "status" text not null,
  "score" double precision not null,
  "session_id" text,
  "ip_address" text,
  "user_id" text,
  "category" text,
  "reasons" jsonb not null,
  "sentence" text not null,
  "acts" bigint not null,
  "expected" double precision,
  "acts_per_second" double precision,
  "gap_variation" double precision,
  "since" timestamptz not null,
  "detected_at" timestamptz not null,
  "updated_at" timestamptz not null,
  "_key" text primary key,
  "_partition" integer not null,
  "_offset" bigint not null,
  "_evidence" jsonb
);
create index "traffic_alerts_by_time" on "traffic_alerts" ("updated_at", "_key");

-- topic trending-products
create table "trending_products" (
  "window_start" timestamptz not null,
  "window_end" timestamptz not null,
  "category" text,
  "product_id" text,
  "product_name" text,
  "views" bigint not null,
  "carts" bigint not null,
  "visitors" bigint not null,
  "timing" text,
  "_key" text primary key,
  "_partition" integer not null,
  "_offset" bigint not null,
  "_evidence" jsonb
);
create index "trending_products_by_time" on "trending_products" ("window_end", "_key");
