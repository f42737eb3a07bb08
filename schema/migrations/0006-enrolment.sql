-- SPDX-License-Identifier: Apache-2.0
-- How a node comes, with a token that an operator gave it, and how it goes.
set local search_path = ve, ext;

alter type node_state add value 'revoked';
alter table node add column revoked_at timestamptz;
drop function if exists node_enrol(bytea, text, text, integer);

create table enrolment (
  id bigint generated always as identity constraint enrolment_pkey primary key,
  token_hash bytea not null constraint enrolment_token_hash_key unique,
  node_id text not null constraint enrolment_node_key unique,
  url text not null,
  capacity integer not null,
  made_by text not null,
  expires_at timestamptz not null default now() + interval '1 hour',
  csr text,
  certificate text,
  error text,
  constraint enrolment_token_hash_check check (octet_length(token_hash) = 32),
  constraint enrolment_node_id_check check (node_id ~ '^[a-z][a-z0-9-]{0,30}$'),
  constraint enrolment_url_check check (url ~ '^https://[A-Za-z0-9.:\[\]-]{1,120}$'),
  constraint enrolment_capacity_check check (capacity between 0 and 1000000),
  constraint enrolment_csr_check check (length(csr) between 100 and 2000),
  constraint enrolment_certificate_check check (length(certificate) <= 8000),
  constraint enrolment_error_check check (length(error) <= 500)
);
comment on table enrolment is
  'a token (its hash) -> the node''s request for a certificate -> the certificate; gone when the node has fetched it';
