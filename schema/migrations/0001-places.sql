-- SPDX-License-Identifier: Apache-2.0
-- Where a VE can live: nodes, templates, plans, pools of addresses and the
-- blocks of them that nodes are lent.
create schema ext authorization ve_owner;
create extension pgcrypto schema ext;
create extension btree_gist schema ext;

create schema ve authorization ve_owner;
set local search_path = ve, ext;

create type node_state as enum ('active', 'draining');

create table node (
  id text constraint node_pkey primary key,
  url text not null,
  grant_key bytea not null,
  state node_state not null default 'active',
  capacity integer not null,
  placed integer not null default 0,
  facts jsonb not null default '{}',
  seen_at timestamptz,
  enrolled_at timestamptz not null default now(),
  constraint node_id_check check (id ~ '^[a-z][a-z0-9-]{0,30}$'),
  constraint node_url_key unique (url),
  constraint node_url_check check (url ~ '^https://[A-Za-z0-9.:\[\]-]{1,120}$'),
  constraint node_grant_key_check check (octet_length(grant_key) = 32),
  constraint node_capacity_check check (capacity between 0 and 1000000),
  constraint node_placed_check check (placed between 0 and 1000000)
);
comment on column node.placed is
  'VEs that live here or are about to; raised by placement only, under the row lock, while below capacity';

create table template (
  name text constraint template_pkey primary key,
  title text not null,
  summary text not null,
  position integer not null,
  enabled boolean not null default true,
  constraint template_name_check check (name ~ '^[a-z][a-z0-9-]{0,30}$')
);
insert into template (name, title, summary, position) values
  ('debian', 'Debian 12', 'A small Debian with bash, procps, nano, less and sftp.', 1),
  ('tiny', 'Tiny', 'busybox and nothing else. Starts in a blink.', 2);

create table plan (
  name text constraint plan_pkey primary key,
  memory_bytes bigint not null,
  processes integer not null,
  cpu_weight integer not null,
  disk_bytes bigint not null,
  life interval not null,
  grace interval not null,
  constraint plan_limits_check check (
    memory_bytes >= 16777216 and processes >= 8 and disk_bytes >= 16777216
    and cpu_weight between 1 and 10000),
  constraint plan_life_check check (life > interval '0' and grace >= interval '0')
);
insert into plan values
  ('trial', 134217728, 128, 100, 1073741824, interval '7 days', interval '7 days');

create table pool (
  id bigint generated always as identity constraint pool_pkey primary key,
  range cidr not null,
  block_len integer not null,
  created_at timestamptz not null default now(),
  constraint pool_range_excl exclude using gist (range inet_ops with &&),
  constraint pool_block_len_check check (
    case family(range)
      when 4 then masklen(range) between 8 and 32
        and block_len between masklen(range) and least(32, masklen(range) + 12)
      else masklen(range) between 16 and 96 and block_len = 128
    end)
);
comment on table pool is
  'IPv4 pools are lent in blocks of block_len; of an IPv6 pool each VE has one address for life';

create table block (
  id bigint generated always as identity constraint block_pkey primary key,
  pool_id bigint not null constraint block_pool_fk references pool,
  node_id text not null constraint block_node_fk references node,
  range cidr not null,
  term tstzrange not null,
  nonce text not null default '',
  acked_epoch bigint not null default 0,
  renewed_at timestamptz not null default now(),
  constraint block_one_borrower_excl exclude using gist
    (range inet_ops with &&, term with &&),
  constraint block_term_check check (not isempty(term) and not upper_inf(term)),
  constraint block_nonce_check check (length(nonce) <= 128)
);
comment on column block.term is
  'from lending to last renewal + 60 s + quarantine; nobody else is lent these addresses before it is over';
create index block_node_idx on block (node_id, upper(term));
