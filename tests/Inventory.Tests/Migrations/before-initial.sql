-- Inventory's database as it was before the migration Initial, with a row or two in each table: made by the hand-written
-- migrations that Initial replaces, then pg_dump --inserts --no-owner --no-privileges.
-- PostgreSQL database dump
-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)
SELECT pg_catalog.set_config('search_path', '', false);
-- Name: __EFMigrationsHistory; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public."__EFMigrationsHistory" (
    migration_id character varying(150) NOT NULL,
    product_version character varying(32) NOT NULL
);
-- Name: consumer_offsets; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.consumer_offsets (
    endpoint text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL
)
WITH (fillfactor='50');
-- Name: dead_letters; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.dead_letters (
    id uuid NOT NULL,
    endpoint text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    key text NOT NULL,
    event_id uuid,
    event_type text,
    headers jsonb NOT NULL,
    body bytea,
    error_type text NOT NULL,
    error_message text NOT NULL,
    stack_trace text NOT NULL,
    failed_at timestamp with time zone NOT NULL,
    status text NOT NULL,
    CONSTRAINT dead_letters_status_check CHECK ((status = ANY (ARRAY['parked'::text, 'redriving'::text, 'redriven'::text, 'discarded'::text])))
);
-- Name: inbox; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.inbox (
    event_id uuid NOT NULL,
    endpoint text NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);
-- Name: outbox; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.outbox (
    id bigint NOT NULL,
    shard smallint NOT NULL,
    topic text NOT NULL,
    key text NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    causation_id uuid,
    trace_parent text,
    scheduling_token uuid,
    body bytea NOT NULL
)
WITH (fillfactor='100', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='20000');
-- Name: outbox_id_seq; Type: SEQUENCE; Schema: public; Owner: -
ALTER TABLE public.outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
-- Name: parked_records; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.parked_records (
    id bigint NOT NULL,
    endpoint text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    key text NOT NULL,
    headers jsonb NOT NULL,
    body bytea,
    parked_at timestamp with time zone NOT NULL
);
-- Name: parked_records_id_seq; Type: SEQUENCE; Schema: public; Owner: -
ALTER TABLE public.parked_records ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.parked_records_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
-- Name: products; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.products (
    sku text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL,
    description text NOT NULL,
    price_amount numeric(12,2) NOT NULL,
    price_currency text NOT NULL,
    search_text text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT products_price_amount_check CHECK ((price_amount > (0)::numeric)),
    CONSTRAINT products_price_currency_check CHECK ((price_currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT products_sku_check CHECK ((sku ~ '^[a-z0-9-]{1,64}$'::text))
);
-- Name: receipts; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.receipts (
    operator_id text NOT NULL,
    idempotency_key text NOT NULL,
    sku text NOT NULL COLLATE pg_catalog."C",
    quantity integer NOT NULL,
    on_hand integer NOT NULL,
    reserved integer NOT NULL,
    dispatched integer NOT NULL,
    received_at timestamp with time zone NOT NULL,
    CONSTRAINT receipts_quantity_check CHECK ((quantity > 0))
);
-- Name: refused_events; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.refused_events (
    outbox_id bigint NOT NULL,
    topic text NOT NULL,
    key text NOT NULL,
    error text NOT NULL,
    refused_at timestamp with time zone NOT NULL
);
-- Name: reservations; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.reservations (
    order_id uuid NOT NULL,
    status text NOT NULL,
    lines jsonb NOT NULL,
    decided_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    shortages jsonb NOT NULL,
    CONSTRAINT reservations_status_check CHECK ((status = ANY (ARRAY['reserved'::text, 'rejected'::text, 'released'::text, 'dispatched'::text])))
)
WITH (fillfactor='80');
-- Name: stock; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.stock (
    sku text NOT NULL COLLATE pg_catalog."C",
    on_hand integer NOT NULL,
    reserved integer NOT NULL,
    dispatched integer NOT NULL,
    CONSTRAINT stock_never_negative CHECK (((reserved >= 0) AND (on_hand >= reserved) AND (dispatched >= 0))),
    CONSTRAINT stock_received_fits CHECK ((((on_hand)::bigint + dispatched) <= 2147483647))
)
WITH (fillfactor='50');
-- Name: timeouts; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.timeouts (
    token uuid NOT NULL,
    due_at timestamp with time zone NOT NULL,
    shard smallint NOT NULL,
    topic text NOT NULL,
    key text NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    causation_id uuid,
    trace_parent text,
    body bytea NOT NULL
);
-- Data for Name: __EFMigrationsHistory; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public."__EFMigrationsHistory" VALUES ('20261122_Inventory', '10.0.15');
INSERT INTO public."__EFMigrationsHistory" VALUES ('20261123_Shortages', '10.0.15');
-- Data for Name: consumer_offsets; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.consumer_offsets VALUES ('s.e', 't', 2, 42);
-- Data for Name: dead_letters; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.dead_letters VALUES ('0193a000-0000-7000-8000-000000000007', 's.e', 't', 2, 41, 'k', '0193a000-0000-7000-8000-000000000008', 'shop.t.e.v1', '{"ce_id": "x"}', '\x7b7d', 'E', 'm', 'at x', '2026-11-26 10:00:03+00', 'parked');
-- Data for Name: inbox; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.inbox VALUES ('0193a000-0000-7000-8000-000000000006', 's.e', '2026-11-26 10:00:02.123456+00');
-- Data for Name: outbox; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES (2, 15, 't', 'l', '0193a000-0000-7000-8000-000000000002', 'shop.t.e.v1', '2026-11-26 10:00:01+00', '0193a000-0000-7000-8000-000000000001', NULL, '0193a000-0000-7000-8000-000000000003', '\x7b2261223a317d');
-- Data for Name: parked_records; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.parked_records OVERRIDING SYSTEM VALUE VALUES (1, 's.e', 't', 2, 43, 'k', '{}', NULL, '2026-11-26 10:00:04+00');
-- Data for Name: products; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.products VALUES ('mug-blue', 'Mug', 'Blue, it''s', 9.50, 'EUR', 'mug-blue
mug
blue', '2026-11-26 10:00:00+00');
-- Data for Name: receipts; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.receipts VALUES ('op', 'key-1', 'mug-blue', 10, 10, 3, 2, '2026-11-26 09:00:00+00');
-- Data for Name: refused_events; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.refused_events VALUES (7, 't', 'k', 'MsgSizeTooLarge: too large', '2026-11-26 10:00:05+00');
-- Data for Name: reservations; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.reservations VALUES ('0193a000-0000-7000-8000-000000000010', 'rejected', '[{"sku": "mug-blue", "quantity": 20}]', '2026-11-26 10:00:00+00', NULL, '[{"sku": "mug-blue", "available": 7, "requested": 20}]');
-- Data for Name: stock; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.stock VALUES ('mug-blue', 10, 3, 2);
-- Data for Name: timeouts; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.timeouts VALUES ('0193a000-0000-7000-8000-000000000004', '2026-11-27 10:00:00+00', 1, 't', 'k', '0193a000-0000-7000-8000-000000000005', 'shop.t.e.v1', NULL, NULL, '\x7b7d');
-- Name: outbox_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
SELECT pg_catalog.setval('public.outbox_id_seq', 2, true);
-- Name: parked_records_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
SELECT pg_catalog.setval('public.parked_records_id_seq', 1, true);
-- Name: consumer_offsets consumer_offsets_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.consumer_offsets
    ADD CONSTRAINT consumer_offsets_pkey PRIMARY KEY (endpoint, topic, partition);
-- Name: dead_letters dead_letters_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.dead_letters
    ADD CONSTRAINT dead_letters_pkey PRIMARY KEY (id);
-- Name: inbox inbox_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (event_id, endpoint);
-- Name: outbox outbox_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
-- Name: parked_records parked_records_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.parked_records
    ADD CONSTRAINT parked_records_pkey PRIMARY KEY (id);
-- Name: __EFMigrationsHistory pk___ef_migrations_history; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public."__EFMigrationsHistory"
    ADD CONSTRAINT pk___ef_migrations_history PRIMARY KEY (migration_id);
-- Name: products products_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.products
    ADD CONSTRAINT products_pkey PRIMARY KEY (sku);
-- Name: receipts receipts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.receipts
    ADD CONSTRAINT receipts_pkey PRIMARY KEY (operator_id, idempotency_key);
-- Name: refused_events refused_events_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.refused_events
    ADD CONSTRAINT refused_events_pkey PRIMARY KEY (outbox_id);
-- Name: reservations reservations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.reservations
    ADD CONSTRAINT reservations_pkey PRIMARY KEY (order_id);
-- Name: stock stock_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.stock
    ADD CONSTRAINT stock_pkey PRIMARY KEY (sku);
-- Name: timeouts timeouts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.timeouts
    ADD CONSTRAINT timeouts_pkey PRIMARY KEY (token);
-- Name: dead_letters_parked; Type: INDEX; Schema: public; Owner: -
CREATE UNIQUE INDEX dead_letters_parked ON public.dead_letters USING btree (endpoint, key) WHERE (status = ANY (ARRAY['parked'::text, 'redriving'::text]));
-- Name: inbox_by_received_at; Type: INDEX; Schema: public; Owner: -
CREATE INDEX inbox_by_received_at ON public.inbox USING brin (received_at) WITH (pages_per_range='32', autosummarize='on');
-- Name: parked_records_by_key; Type: INDEX; Schema: public; Owner: -
CREATE INDEX parked_records_by_key ON public.parked_records USING btree (endpoint, key, id);
-- Name: refused_events_by_key; Type: INDEX; Schema: public; Owner: -
CREATE INDEX refused_events_by_key ON public.refused_events USING btree (topic, key);
-- Name: timeouts_by_due_at; Type: INDEX; Schema: public; Owner: -
CREATE INDEX timeouts_by_due_at ON public.timeouts USING btree (due_at);
-- Name: receipts receipts_sku_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.receipts
    ADD CONSTRAINT receipts_sku_fkey FOREIGN KEY (sku) REFERENCES public.stock(sku);
-- Name: stock stock_sku_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.stock
    ADD CONSTRAINT stock_sku_fkey FOREIGN KEY (sku) REFERENCES public.products(sku);
-- PostgreSQL database dump complete
