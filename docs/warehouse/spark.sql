-- Generated from services/Contracts; do not edit. See tests/Contracts.Tests/Warehouse.
-- spark-sql --hivevar warehouse=s3a://BUCKET/warehouse -f spark.sql; again after new hours: RECOVER finds their folders
-- A table that is there gets no new columns by itself: DROP TABLE leaves the files, and it is made again.

CREATE TABLE IF NOT EXISTS orders (
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
  `reason` STRING,
  `date` DATE,
  `hour` INT
) USING PARQUET PARTITIONED BY (`date`, `hour`)
LOCATION '${warehouse}/topic=orders';
ALTER TABLE orders RECOVER PARTITIONS;

CREATE TABLE IF NOT EXISTS reservations (
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
  `shortages` STRING,
  `date` DATE,
  `hour` INT
) USING PARQUET PARTITIONED BY (`date`, `hour`)
LOCATION '${warehouse}/topic=reservations';
ALTER TABLE reservations RECOVER PARTITIONS;

CREATE TABLE IF NOT EXISTS payments (
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
  `rules` STRING,
  `date` DATE,
  `hour` INT
) USING PARQUET PARTITIONED BY (`date`, `hour`)
LOCATION '${warehouse}/topic=payments';
ALTER TABLE payments RECOVER PARTITIONS;

CREATE TABLE IF NOT EXISTS stock (
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
  `at` TIMESTAMP,
  `date` DATE,
  `hour` INT
) USING PARQUET PARTITIONED BY (`date`, `hour`)
LOCATION '${warehouse}/topic=stock';
ALTER TABLE stock RECOVER PARTITIONS;

CREATE TABLE IF NOT EXISTS catalog (
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
  `price_currency` STRING,
  `date` DATE,
  `hour` INT
) USING PARQUET PARTITIONED BY (`date`, `hour`)
LOCATION '${warehouse}/topic=catalog';
ALTER TABLE catalog RECOVER PARTITIONS;

CREATE TABLE IF NOT EXISTS shopper_activity (
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
  `quantity` INT,
  `date` DATE,
  `hour` INT
) USING PARQUET PARTITIONED BY (`date`, `hour`)
LOCATION '${warehouse}/topic=shopper-activity';
ALTER TABLE shopper_activity RECOVER PARTITIONS;

CREATE TABLE IF NOT EXISTS alarms (
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
  `cleared_at` TIMESTAMP,
  `date` DATE,
  `hour` INT
) USING PARQUET PARTITIONED BY (`date`, `hour`)
LOCATION '${warehouse}/topic=alarms';
ALTER TABLE alarms RECOVER PARTITIONS;

CREATE TABLE IF NOT EXISTS sensor_readings (
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
  `celsius` DOUBLE,
  `date` DATE,
  `hour` INT
) USING PARQUET PARTITIONED BY (`date`, `hour`)
LOCATION '${warehouse}/topic=sensor-readings';
ALTER TABLE sensor_readings RECOVER PARTITIONS;

CREATE TABLE IF NOT EXISTS logs (
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
  `dropped` BIGINT,
  `date` DATE,
  `hour` INT
) USING PARQUET PARTITIONED BY (`date`, `hour`)
LOCATION '${warehouse}/topic=logs';
ALTER TABLE logs RECOVER PARTITIONS;
