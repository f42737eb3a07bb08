-- SPDX-License-Identifier: Apache-2.0
-- What a DNS server was told of the names of VEs.
set local search_path = ve, ext;

create table dns_name (
  zone text not null,
  name text not null,
  ipv4 inet,
  ipv6 inet,
  told_at timestamptz not null default now(),
  constraint dns_name_pkey primary key (zone, name)
);
comment on table dns_name is 'kept by name, not by VE: whoever has a name next is told of in the same record';
