-- Generated from services/Contracts; do not edit. See tests/Contracts.Tests/Warehouse.
-- Set the stage's address and how it is reached first. COPY INTO loads each file once; small files are merged into new ones later, so rows
-- land in a table of their own and are merged by topic, partition and offset: each event once, however often its row comes. What was merged is
-- deleted there: after TRUNCATE each file would be loaded again. A table that is there gets no new columns by itself: ALTER TABLE ... ADD COLUMN both.
-- Where a topic was made anew its offsets begin anew: rename the table of the one before, and its landing table, first.

CREATE FILE FORMAT IF NOT EXISTS shop_parquet TYPE = PARQUET USE_LOGICAL_TYPE = TRUE;
CREATE STAGE IF NOT EXISTS shop_warehouse URL = 's3://BUCKET/warehouse/' FILE_FORMAT = shop_parquet;

CREATE TABLE IF NOT EXISTS orders (
  "topic" VARCHAR,
  "partition" NUMBER(19, 0),
  "offset" NUMBER(19, 0),
  "key" VARCHAR,
  "id" VARCHAR,
  "type" VARCHAR,
  "time" TIMESTAMP_TZ,
  "source" VARCHAR,
  "cause" VARCHAR,
  "traceparent" VARCHAR,
  "data" VARCHAR,
  "ce_subject" VARCHAR,
  "malformed" BOOLEAN,
  "order_id" VARCHAR,
  "shopper_id" VARCHAR,
  "lines" VARCHAR,
  "total_amount" NUMBER(18, 4),
  "total_currency" VARCHAR,
  "ship_to_name" VARCHAR,
  "ship_to_street" VARCHAR,
  "ship_to_city" VARCHAR,
  "ship_to_postal_code" VARCHAR,
  "ship_to_country" VARCHAR,
  "submitted_at" TIMESTAMP_TZ,
  "payment_id" VARCHAR,
  "amount" NUMBER(18, 4),
  "amount_currency" VARCHAR,
  "device_id" VARCHAR,
  "address_hash" VARCHAR,
  "country" VARCHAR,
  "first_ordered_at" TIMESTAMP_TZ,
  "requested_by" VARCHAR,
  "waiting_for" VARCHAR,
  "reason" VARCHAR
) CLUSTER BY (TO_DATE("time"));
CREATE TRANSIENT TABLE IF NOT EXISTS orders_landing LIKE orders;
COPY INTO orders_landing FROM @shop_warehouse/topic=orders/ MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE PATTERN = '.*[.]parquet';
MERGE INTO orders t USING (SELECT * FROM orders_landing QUALIFY row_number() OVER (PARTITION BY "partition", "offset" ORDER BY "offset") = 1) l
  ON t."partition" = l."partition" AND t."offset" = l."offset"
  WHEN NOT MATCHED THEN INSERT ("topic", "partition", "offset", "key", "id", "type", "time", "source", "cause", "traceparent", "data", "ce_subject", "malformed", "order_id", "shopper_id", "lines", "total_amount", "total_currency", "ship_to_name", "ship_to_street", "ship_to_city", "ship_to_postal_code", "ship_to_country", "submitted_at", "payment_id", "amount", "amount_currency", "device_id", "address_hash", "country", "first_ordered_at", "requested_by", "waiting_for", "reason") VALUES (l."topic", l."partition", l."offset", l."key", l."id", l."type", l."time", l."source", l."cause", l."traceparent", l."data", l."ce_subject", l."malformed", l."order_id", l."shopper_id", l."lines", l."total_amount", l."total_currency", l."ship_to_name", l."ship_to_street", l."ship_to_city", l."ship_to_postal_code", l."ship_to_country", l."submitted_at", l."payment_id", l."amount", l."amount_currency", l."device_id", l."address_hash", l."country", l."first_ordered_at", l."requested_by", l."waiting_for", l."reason");
DELETE FROM orders_landing USING orders t WHERE orders_landing."partition" = t."partition" AND orders_landing."offset" = t."offset";

CREATE TABLE IF NOT EXISTS reservations (
  "topic" VARCHAR,
  "partition" NUMBER(19, 0),
  "offset" NUMBER(19, 0),
  "key" VARCHAR,
  "id" VARCHAR,
  "type" VARCHAR,
  "time" TIMESTAMP_TZ,
  "source" VARCHAR,
  "cause" VARCHAR,
  "traceparent" VARCHAR,
  "data" VARCHAR,
  "ce_subject" VARCHAR,
  "malformed" BOOLEAN,
  "order_id" VARCHAR,
  "lines" VARCHAR,
  "shortages" VARCHAR
) CLUSTER BY (TO_DATE("time"));
CREATE TRANSIENT TABLE IF NOT EXISTS reservations_landing LIKE reservations;
COPY INTO reservations_landing FROM @shop_warehouse/topic=reservations/ MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE PATTERN = '.*[.]parquet';
MERGE INTO reservations t USING (SELECT * FROM reservations_landing QUALIFY row_number() OVER (PARTITION BY "partition", "offset" ORDER BY "offset") = 1) l
  ON t."partition" = l."partition" AND t."offset" = l."offset"
  WHEN NOT MATCHED THEN INSERT ("topic", "partition", "offset", "key", "id", "type", "time", "source", "cause", "traceparent", "data", "ce_subject", "malformed", "order_id", "lines", "shortages") VALUES (l."topic", l."partition", l."offset", l."key", l."id", l."type", l."time", l."source", l."cause", l."traceparent", l."data", l."ce_subject", l."malformed", l."order_id", l."lines", l."shortages");
DELETE FROM reservations_landing USING reservations t WHERE reservations_landing."partition" = t."partition" AND reservations_landing."offset" = t."offset";

CREATE TABLE IF NOT EXISTS payments (
  "topic" VARCHAR,
  "partition" NUMBER(19, 0),
  "offset" NUMBER(19, 0),
  "key" VARCHAR,
  "id" VARCHAR,
  "type" VARCHAR,
  "time" TIMESTAMP_TZ,
  "source" VARCHAR,
  "cause" VARCHAR,
  "traceparent" VARCHAR,
  "data" VARCHAR,
  "ce_subject" VARCHAR,
  "malformed" BOOLEAN,
  "order_id" VARCHAR,
  "payment_id" VARCHAR,
  "amount" NUMBER(18, 4),
  "amount_currency" VARCHAR,
  "reason" VARCHAR,
  "score" DOUBLE,
  "reasons" VARCHAR,
  "rules" VARCHAR
) CLUSTER BY (TO_DATE("time"));
CREATE TRANSIENT TABLE IF NOT EXISTS payments_landing LIKE payments;
COPY INTO payments_landing FROM @shop_warehouse/topic=payments/ MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE PATTERN = '.*[.]parquet';
MERGE INTO payments t USING (SELECT * FROM payments_landing QUALIFY row_number() OVER (PARTITION BY "partition", "offset" ORDER BY "offset") = 1) l
  ON t."partition" = l."partition" AND t."offset" = l."offset"
  WHEN NOT MATCHED THEN INSERT ("topic", "partition", "offset", "key", "id", "type", "time", "source", "cause", "traceparent", "data", "ce_subject", "malformed", "order_id", "payment_id", "amount", "amount_currency", "reason", "score", "reasons", "rules") VALUES (l."topic", l."partition", l."offset", l."key", l."id", l."type", l."time", l."source", l."cause", l."traceparent", l."data", l."ce_subject", l."malformed", l."order_id", l."payment_id", l."amount", l."amount_currency", l."reason", l."score", l."reasons", l."rules");
DELETE FROM payments_landing USING payments t WHERE payments_landing."partition" = t."partition" AND payments_landing."offset" = t."offset";

CREATE TABLE IF NOT EXISTS stock (
  "topic" VARCHAR,
  "partition" NUMBER(19, 0),
  "offset" NUMBER(19, 0),
  "key" VARCHAR,
  "id" VARCHAR,
  "type" VARCHAR,
  "time" TIMESTAMP_TZ,
  "source" VARCHAR,
  "cause" VARCHAR,
  "traceparent" VARCHAR,
  "data" VARCHAR,
  "ce_subject" VARCHAR,
  "malformed" BOOLEAN,
  "sku" VARCHAR,
  "on_hand" NUMBER(19, 0),
  "reserved" NUMBER(19, 0),
  "available" NUMBER(19, 0),
  "dispatched" NUMBER(19, 0),
  "sensor" VARCHAR,
  "expected" NUMBER(19, 0),
  "seen" NUMBER(19, 0),
  "weight_grams" DOUBLE,
  "at" TIMESTAMP_TZ
) CLUSTER BY (TO_DATE("time"));
CREATE TRANSIENT TABLE IF NOT EXISTS stock_landing LIKE stock;
COPY INTO stock_landing FROM @shop_warehouse/topic=stock/ MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE PATTERN = '.*[.]parquet';
MERGE INTO stock t USING (SELECT * FROM stock_landing QUALIFY row_number() OVER (PARTITION BY "partition", "offset" ORDER BY "offset") = 1) l
  ON t."partition" = l."partition" AND t."offset" = l."offset"
  WHEN NOT MATCHED THEN INSERT ("topic", "partition", "offset", "key", "id", "type", "time", "source", "cause", "traceparent", "data", "ce_subject", "malformed", "sku", "on_hand", "reserved", "available", "dispatched", "sensor", "expected", "seen", "weight_grams", "at") VALUES (l."topic", l."partition", l."offset", l."key", l."id", l."type", l."time", l."source", l."cause", l."traceparent", l."data", l."ce_subject", l."malformed", l."sku", l."on_hand", l."reserved", l."available", l."dispatched", l."sensor", l."expected", l."seen", l."weight_grams", l."at");
DELETE FROM stock_landing USING stock t WHERE stock_landing."partition" = t."partition" AND stock_landing."offset" = t."offset";

CREATE TABLE IF NOT EXISTS catalog (
  "topic" VARCHAR,
  "partition" NUMBER(19, 0),
  "offset" NUMBER(19, 0),
  "key" VARCHAR,
  "id" VARCHAR,
  "type" VARCHAR,
  "time" TIMESTAMP_TZ,
  "source" VARCHAR,
  "cause" VARCHAR,
  "traceparent" VARCHAR,
  "data" VARCHAR,
  "ce_subject" VARCHAR,
  "malformed" BOOLEAN,
  "sku" VARCHAR,
  "name" VARCHAR,
  "description" VARCHAR,
  "price_amount" NUMBER(18, 4),
  "price_currency" VARCHAR
) CLUSTER BY (TO_DATE("time"));
CREATE TRANSIENT TABLE IF NOT EXISTS catalog_landing LIKE catalog;
COPY INTO catalog_landing FROM @shop_warehouse/topic=catalog/ MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE PATTERN = '.*[.]parquet';
MERGE INTO catalog t USING (SELECT * FROM catalog_landing QUALIFY row_number() OVER (PARTITION BY "partition", "offset" ORDER BY "offset") = 1) l
  ON t."partition" = l."partition" AND t."offset" = l."offset"
  WHEN NOT MATCHED THEN INSERT ("topic", "partition", "offset", "key", "id", "type", "time", "source", "cause", "traceparent", "data", "ce_subject", "malformed", "sku", "name", "description", "price_amount", "price_currency") VALUES (l."topic", l."partition", l."offset", l."key", l."id", l."type", l."time", l."source", l."cause", l."traceparent", l."data", l."ce_subject", l."malformed", l."sku", l."name", l."description", l."price_amount", l."price_currency");
DELETE FROM catalog_landing USING catalog t WHERE catalog_landing."partition" = t."partition" AND catalog_landing."offset" = t."offset";

CREATE TABLE IF NOT EXISTS shopper_activity (
  "topic" VARCHAR,
  "partition" NUMBER(19, 0),
  "offset" NUMBER(19, 0),
  "key" VARCHAR,
  "id" VARCHAR,
  "type" VARCHAR,
  "time" TIMESTAMP_TZ,
  "source" VARCHAR,
  "cause" VARCHAR,
  "traceparent" VARCHAR,
  "data" VARCHAR,
  "ce_subject" VARCHAR,
  "malformed" BOOLEAN,
  "visitor_id" VARCHAR,
  "sku" VARCHAR,
  "search" VARCHAR,
  "quantity" NUMBER(19, 0)
) CLUSTER BY (TO_DATE("time"));
CREATE TRANSIENT TABLE IF NOT EXISTS shopper_activity_landing LIKE shopper_activity;
COPY INTO shopper_activity_landing FROM @shop_warehouse/topic=shopper-activity/ MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE PATTERN = '.*[.]parquet';
MERGE INTO shopper_activity t USING (SELECT * FROM shopper_activity_landing QUALIFY row_number() OVER (PARTITION BY "partition", "offset" ORDER BY "offset") = 1) l
  ON t."partition" = l."partition" AND t."offset" = l."offset"
  WHEN NOT MATCHED THEN INSERT ("topic", "partition", "offset", "key", "id", "type", "time", "source", "cause", "traceparent", "data", "ce_subject", "malformed", "visitor_id", "sku", "search", "quantity") VALUES (l."topic", l."partition", l."offset", l."key", l."id", l."type", l."time", l."source", l."cause", l."traceparent", l."data", l."ce_subject", l."malformed", l."visitor_id", l."sku", l."search", l."quantity");
DELETE FROM shopper_activity_landing USING shopper_activity t WHERE shopper_activity_landing."partition" = t."partition" AND shopper_activity_landing."offset" = t."offset";

CREATE TABLE IF NOT EXISTS alarms (
  "topic" VARCHAR,
  "partition" NUMBER(19, 0),
  "offset" NUMBER(19, 0),
  "key" VARCHAR,
  "id" VARCHAR,
  "type" VARCHAR,
  "time" TIMESTAMP_TZ,
  "source" VARCHAR,
  "cause" VARCHAR,
  "traceparent" VARCHAR,
  "data" VARCHAR,
  "ce_subject" VARCHAR,
  "malformed" BOOLEAN,
  "alarm_id" VARCHAR,
  "kind" VARCHAR,
  "service" VARCHAR,
  "subject" VARCHAR,
  "expected" VARCHAR,
  "seen" VARCHAR,
  "raised_at" TIMESTAMP_TZ,
  "cleared_at" TIMESTAMP_TZ
) CLUSTER BY (TO_DATE("time"));
CREATE TRANSIENT TABLE IF NOT EXISTS alarms_landing LIKE alarms;
COPY INTO alarms_landing FROM @shop_warehouse/topic=alarms/ MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE PATTERN = '.*[.]parquet';
MERGE INTO alarms t USING (SELECT * FROM alarms_landing QUALIFY row_number() OVER (PARTITION BY "partition", "offset" ORDER BY "offset") = 1) l
  ON t."partition" = l."partition" AND t."offset" = l."offset"
  WHEN NOT MATCHED THEN INSERT ("topic", "partition", "offset", "key", "id", "type", "time", "source", "cause", "traceparent", "data", "ce_subject", "malformed", "alarm_id", "kind", "service", "subject", "expected", "seen", "raised_at", "cleared_at") VALUES (l."topic", l."partition", l."offset", l."key", l."id", l."type", l."time", l."source", l."cause", l."traceparent", l."data", l."ce_subject", l."malformed", l."alarm_id", l."kind", l."service", l."subject", l."expected", l."seen", l."raised_at", l."cleared_at");
DELETE FROM alarms_landing USING alarms t WHERE alarms_landing."partition" = t."partition" AND alarms_landing."offset" = t."offset";

CREATE TABLE IF NOT EXISTS sensor_readings (
  "topic" VARCHAR,
  "partition" NUMBER(19, 0),
  "offset" NUMBER(19, 0),
  "key" VARCHAR,
  "id" VARCHAR,
  "type" VARCHAR,
  "time" TIMESTAMP_TZ,
  "source" VARCHAR,
  "cause" VARCHAR,
  "traceparent" VARCHAR,
  "data" VARCHAR,
  "ce_subject" VARCHAR,
  "malformed" BOOLEAN,
  "sensor" VARCHAR,
  "at" TIMESTAMP_TZ,
  "weight_grams" DOUBLE,
  "celsius" DOUBLE
) CLUSTER BY (TO_DATE("time"));
CREATE TRANSIENT TABLE IF NOT EXISTS sensor_readings_landing LIKE sensor_readings;
COPY INTO sensor_readings_landing FROM @shop_warehouse/topic=sensor-readings/ MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE PATTERN = '.*[.]parquet';
MERGE INTO sensor_readings t USING (SELECT * FROM sensor_readings_landing QUALIFY row_number() OVER (PARTITION BY "partition", "offset" ORDER BY "offset") = 1) l
  ON t."partition" = l."partition" AND t."offset" = l."offset"
  WHEN NOT MATCHED THEN INSERT ("topic", "partition", "offset", "key", "id", "type", "time", "source", "cause", "traceparent", "data", "ce_subject", "malformed", "sensor", "at", "weight_grams", "celsius") VALUES (l."topic", l."partition", l."offset", l."key", l."id", l."type", l."time", l."source", l."cause", l."traceparent", l."data", l."ce_subject", l."malformed", l."sensor", l."at", l."weight_grams", l."celsius");
DELETE FROM sensor_readings_landing USING sensor_readings t WHERE sensor_readings_landing."partition" = t."partition" AND sensor_readings_landing."offset" = t."offset";

CREATE TABLE IF NOT EXISTS logs (
  "topic" VARCHAR,
  "partition" NUMBER(19, 0),
  "offset" NUMBER(19, 0),
  "key" VARCHAR,
  "id" VARCHAR,
  "type" VARCHAR,
  "time" TIMESTAMP_TZ,
  "source" VARCHAR,
  "cause" VARCHAR,
  "traceparent" VARCHAR,
  "data" VARCHAR,
  "ce_subject" VARCHAR,
  "malformed" BOOLEAN,
  "service" VARCHAR,
  "instance" VARCHAR,
  "level" VARCHAR,
  "event_name" VARCHAR,
  "category" VARCHAR,
  "message" VARCHAR,
  "fields" VARCHAR,
  "exception" VARCHAR,
  "trace_id" VARCHAR,
  "span_id" VARCHAR,
  "written_at" TIMESTAMP_TZ,
  "dropped" NUMBER(19, 0)
) CLUSTER BY (TO_DATE("time"));
CREATE TRANSIENT TABLE IF NOT EXISTS logs_landing LIKE logs;
COPY INTO logs_landing FROM @shop_warehouse/topic=logs/ MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE PATTERN = '.*[.]parquet';
MERGE INTO logs t USING (SELECT * FROM logs_landing QUALIFY row_number() OVER (PARTITION BY "partition", "offset" ORDER BY "offset") = 1) l
  ON t."partition" = l."partition" AND t."offset" = l."offset"
  WHEN NOT MATCHED THEN INSERT ("topic", "partition", "offset", "key", "id", "type", "time", "source", "cause", "traceparent", "data", "ce_subject", "malformed", "service", "instance", "level", "event_name", "category", "message", "fields", "exception", "trace_id", "span_id", "written_at", "dropped") VALUES (l."topic", l."partition", l."offset", l."key", l."id", l."type", l."time", l."source", l."cause", l."traceparent", l."data", l."ce_subject", l."malformed", l."service", l."instance", l."level", l."event_name", l."category", l."message", l."fields", l."exception", l."trace_id", l."span_id", l."written_at", l."dropped");
DELETE FROM logs_landing USING logs t WHERE logs_landing."partition" = t."partition" AND logs_landing."offset" = t."offset";
