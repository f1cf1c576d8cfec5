-- Payments' database as it was before the migration Initial, with a row or two in each table: made by the hand-written
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
-- Name: payments; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.payments (
    payment_id uuid NOT NULL,
    order_id uuid NOT NULL,
    shopper_id text NOT NULL,
    amount numeric NOT NULL,
    currency text NOT NULL,
    token text,
    state text NOT NULL,
    capture_wanted boolean NOT NULL,
    due_at timestamp with time zone,
    attempts integer NOT NULL,
    last_error text,
    cause_id uuid NOT NULL,
    trace_parent text,
    requested_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    version integer NOT NULL,
    decline_reason text,
    CONSTRAINT payments_check CHECK (((due_at IS NOT NULL) = (state = ANY (ARRAY['authorizing'::text, 'capturing'::text, 'voiding'::text, 'refunding'::text])))),
    CONSTRAINT payments_state_check CHECK ((state = ANY (ARRAY['authorizing'::text, 'authorized'::text, 'declined'::text, 'capturing'::text, 'captured'::text, 'voiding'::text, 'voided'::text, 'refunding'::text, 'refunded'::text])))
)
WITH (fillfactor='70');
-- Name: refused_events; Type: TABLE; Schema: public; Owner: -
CREATE TABLE public.refused_events (
    outbox_id bigint NOT NULL,
    topic text NOT NULL,
    key text NOT NULL,
    error text NOT NULL,
    refused_at timestamp with time zone NOT NULL
);
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
INSERT INTO public."__EFMigrationsHistory" VALUES ('20261122_Payments', '10.0.15');
INSERT INTO public."__EFMigrationsHistory" VALUES ('20261123_DeclineReason', '10.0.15');
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
-- Data for Name: payments; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.payments VALUES ('0193a000-0000-7000-8000-000000000011', '0193a000-0000-7000-8000-000000000010', 'ada', 19.00, 'EUR', 'tok_visa', 'authorizing', true, '2026-11-26 10:00:30+00', 2, 'timeout', '0193a000-0000-7000-8000-000000000012', NULL, '2026-11-26 10:00:00+00', '2026-11-26 10:00:00+00', 3, NULL);
INSERT INTO public.payments VALUES ('0193a000-0000-7000-8000-000000000021', '0193a000-0000-7000-8000-000000000020', 'bob', 1.5, 'EUR', NULL, 'declined', false, NULL, 0, NULL, '0193a000-0000-7000-8000-000000000022', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', '2026-11-26 10:00:00+00', '2026-11-26 10:00:01+00', 1, 'insufficient_funds');
-- Data for Name: refused_events; Type: TABLE DATA; Schema: public; Owner: -
INSERT INTO public.refused_events VALUES (7, 't', 'k', 'MsgSizeTooLarge: too large', '2026-11-26 10:00:05+00');
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
-- Name: payments payments_order_id_key; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_order_id_key UNIQUE (order_id);
-- Name: payments payments_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_pkey PRIMARY KEY (payment_id);
-- Name: __EFMigrationsHistory pk___ef_migrations_history; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public."__EFMigrationsHistory"
    ADD CONSTRAINT pk___ef_migrations_history PRIMARY KEY (migration_id);
-- Name: refused_events refused_events_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.refused_events
    ADD CONSTRAINT refused_events_pkey PRIMARY KEY (outbox_id);
-- Name: timeouts timeouts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
ALTER TABLE ONLY public.timeouts
    ADD CONSTRAINT timeouts_pkey PRIMARY KEY (token);
-- Name: dead_letters_parked; Type: INDEX; Schema: public; Owner: -
CREATE UNIQUE INDEX dead_letters_parked ON public.dead_letters USING btree (endpoint, key) WHERE (status = ANY (ARRAY['parked'::text, 'redriving'::text]));
-- Name: inbox_by_received_at; Type: INDEX; Schema: public; Owner: -
CREATE INDEX inbox_by_received_at ON public.inbox USING brin (received_at) WITH (pages_per_range='32', autosummarize='on');
-- Name: parked_records_by_key; Type: INDEX; Schema: public; Owner: -
CREATE INDEX parked_records_by_key ON public.parked_records USING btree (endpoint, key, id);
-- Name: payments_due; Type: INDEX; Schema: public; Owner: -
CREATE INDEX payments_due ON public.payments USING btree (due_at) WHERE (due_at IS NOT NULL);
-- Name: refused_events_by_key; Type: INDEX; Schema: public; Owner: -
CREATE INDEX refused_events_by_key ON public.refused_events USING btree (topic, key);
-- Name: timeouts_by_due_at; Type: INDEX; Schema: public; Owner: -
CREATE INDEX timeouts_by_due_at ON public.timeouts USING btree (due_at);
-- PostgreSQL database dump complete
