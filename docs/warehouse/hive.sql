-- Generated from services/Contracts; do not edit. See tests/Contracts.Tests/Warehouse.
-- hive --hivevar warehouse=s3a://BUCKET/warehouse -f hive.sql; again after new hours: MSCK finds their folders
-- A table that is there gets no new columns by itself: DROP TABLE leaves the files, and it is made again.

CREATE EXTERNAL TABLE IF NOT EXISTS orders (
  `topic` STRING,
  `partition` INT,
  `offset` BIGINT,
  `key` STRING,
  `id` STRING,
  `type` STRING,
  `time` TIMESTAMP,
  `source` STRING,
  `cause` STRING,
  `traceparent` STRING,
  `data` STRING,
  `ce_subject` STRING,
  `malformed` BOOLEAN,
  `order_id` STRING,
  `shopper_id` STRING,
  `lines` STRING,
  `total_amount` DECIMAL(18, 4),
  `total_currency` STRING,
  `ship_to_name` STRING,
  `ship_to_street` STRING,
  `ship_to_city` STRING,
  `ship_to_postal_code` STRING,
  `ship_to_country` STRING,
  `submitted_at` TIMESTAMP,
  `payment_id` STRING,
  `amount` DECIMAL(18, 4),
  `amount_currency` STRING,
  `device_id` STRING,
  `address_hash` STRING,
  `country` STRING,
  `first_ordered_at` TIMESTAMP,
  `requested_by` STRING,
  `waiting_for` STRING,
  `reason` STRING
) PARTITIONED BY (`date` DATE, `hour` INT)
STORED AS PARQUET LOCATION '${hivevar:warehouse}/topic=orders';
MSCK REPAIR TABLE orders;

CREATE EXTERNAL TABLE IF NOT EXISTS reservations (
  `topic` STRING,
  `partition` INT,
  `offset` BIGINT,
  `key` STRING,
  `id` STRING,
  `type` STRING,
  `time` TIMESTAMP,
  `source` STRING,
  `cause` STRING,
  `traceparent` STRING,
  `data` STRING,
  `ce_subject` STRING,
  `malformed` BOOLEAN,
  `order_id` STRING,
  `lines` STRING,
  `shortages` STRING
) PARTITIONED BY (`date` DATE, `hour` INT)
STORED AS PARQUET LOCATION '${hivevar:warehouse}/topic=reservations';
MSCK REPAIR TABLE reservations;

CREATE EXTERNAL TABLE IF NOT EXISTS payments (
  `topic` STRING,
  `partition` INT,
  `offset` BIGINT,
  `key` STRING,
  `id` STRING,
  `type` STRING,
  `time` TIMESTAMP,
  `source` STRING,
  `cause` STRING,
  `traceparent` STRING,
  `data` STRING,
  `ce_subject` STRING,
  `malformed` BOOLEAN,
  `order_id` STRING,
  `payment_id` STRING,
  `amount` DECIMAL(18, 4),
  `amount_currency` STRING,
  `reason` STRING,
  `score` DOUBLE,
  `reasons` STRING,
  `rules` STRING
) PARTITIONED BY (`date` DATE, `hour` INT)
STORED AS PARQUET LOCATION '${hivevar:warehouse}/topic=payments';
MSCK REPAIR TABLE payments;

CREATE EXTERNAL TABLE IF NOT EXISTS stock (
  `topic` STRING,
  `partition` INT,
  `offset` BIGINT,
  `key` STRING,
  `id` STRING,
  `type` STRING,
  `time` TIMESTAMP,
  `source` STRING,
  `cause` STRING,
  `traceparent` STRING,
  `data` STRING,
  `ce_subject` STRING,
  `malformed` BOOLEAN,
  `sku` STRING,
  `on_hand` INT,
  `reserved` INT,
  `available` INT,
  `dispatched` INT,
  `sensor` STRING,
  `expected` INT,
  `seen` INT,
  `weight_grams` DOUBLE,
  `at` TIMESTAMP
) PARTITIONED BY (`date` DATE, `hour` INT)
STORED AS PARQUET LOCATION '${hivevar:warehouse}/topic=stock';
MSCK REPAIR TABLE stock;

CREATE EXTERNAL TABLE IF NOT EXISTS catalog (
  `topic` STRING,
  `partition` INT,
  `offset` BIGINT,
  `key` STRING,
  `id` STRING,
  `type` STRING,
  `time` TIMESTAMP,
  `source` STRING,
  `cause` STRING,
  `traceparent` STRING,
  `data` STRING,
  `ce_subject` STRING,
  `malformed` BOOLEAN,
  `sku` STRING,
  `name` STRING,
  `description` STRING,
  `price_amount` DECIMAL(18, 4),
  `price_currency` STRING
) PARTITIONED BY (`date` DATE, `hour` INT)
STORED AS PARQUET LOCATION '${hivevar:warehouse}/topic=catalog';
MSCK REPAIR TABLE catalog;

CREATE EXTERNAL TABLE IF NOT EXISTS shopper_activity (
  `topic` STRING,
  `partition` INT,
  `offset` BIGINT,
  `key` STRING,
  `id` STRING,
  `type` STRING,
  `time` TIMESTAMP,
  `source` STRING,
  `cause` STRING,
  `traceparent` STRING,
  `data` STRING,
  `ce_subject` STRING,
  `malformed` BOOLEAN,
  `visitor_id` STRING,
  `sku` STRING,
  `search` STRING,
  `quantity` INT
) PARTITIONED BY (`date` DATE, `hour` INT)
STORED AS PARQUET LOCATION '${hivevar:warehouse}/topic=shopper-activity';
MSCK REPAIR TABLE shopper_activity;

CREATE EXTERNAL TABLE IF NOT EXISTS alarms (
  `topic` STRING,
  `partition` INT,
  `offset` BIGINT,
  `key` STRING,
  `id` STRING,
  `type` STRING,
  `time` TIMESTAMP,
  `source` STRING,
  `cause` STRING,
  `traceparent` STRING,
  `data` STRING,
  `ce_subject` STRING,
  `malformed` BOOLEAN,
  `alarm_id` STRING,
  `kind` STRING,
  `service` STRING,
  `subject` STRING,
  `expected` STRING,
  `seen` STRING,
  `raised_at` TIMESTAMP,
  `cleared_at` TIMESTAMP
) PARTITIONED BY (`date` DATE, `hour` INT)
STORED AS PARQUET LOCATION '${hivevar:warehouse}/topic=alarms';
MSCK REPAIR TABLE alarms;

CREATE EXTERNAL TABLE IF NOT EXISTS sensor_readings (
  `topic` STRING,
  `partition` INT,
  `offset` BIGINT,
  `key` STRING,
  `id` STRING,
  `type` STRING,
  `time` TIMESTAMP,
  `source` STRING,
  `cause` STRING,
  `traceparent` STRING,
  `data` STRING,
  `ce_subject` STRING,
  `malformed` BOOLEAN,
  `sensor` STRING,
  `at` TIMESTAMP,
  `weight_grams` DOUBLE,
  `celsius` DOUBLE
) PARTITIONED BY (`date` DATE, `hour` INT)
STORED AS PARQUET LOCATION '${hivevar:warehouse}/topic=sensor-readings';
MSCK REPAIR TABLE sensor_readings;

CREATE EXTERNAL TABLE IF NOT EXISTS logs (
  `topic` STRING,
  `partition` INT,
  `offset` BIGINT,
  `key` STRING,
  `id` STRING,
  `type` STRING,
  `time` TIMESTAMP,
  `source` STRING,
  `cause` STRING,
  `traceparent` STRING,
  `data` STRING,
  `ce_subject` STRING,
  `malformed` BOOLEAN,
  `service` STRING,
  `instance` STRING,
  `level` STRING,
  `event_name` STRING,
  `category` STRING,
  `message` STRING,
  `fields` STRING,
  `exception` STRING,
  `trace_id` STRING,
  `span_id` STRING,
  `written_at` TIMESTAMP,
  `dropped` BIGINT
) PARTITIONED BY (`date` DATE, `hour` INT)
STORED AS PARQUET LOCATION '${hivevar:warehouse}/topic=logs';
MSCK REPAIR TABLE logs;
