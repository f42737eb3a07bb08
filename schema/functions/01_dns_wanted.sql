-- SPDX-License-Identifier: Apache-2.0
-- What names say: the IPv6 address for life, and the IPv4 address while it is
-- lent.  Of a node that is not heard of nobody knows what it lends.
create or replace function ve.dns_wanted() returns table (name text, ipv4 inet, ipv6 inet)
  language sql stable
  set search_path = ve, pg_temp
as $$
  select v.hostname, case when n.seen_at > now() - interval '60 seconds' then v.state_ipv4 end, v.ipv6
    from ve v join node n on n.id = v.node_id
    where v.deleted_at is null and v.desired <> 'deleted' and n.state <> 'revoked'
$$;
