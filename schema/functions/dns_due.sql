-- SPDX-License-Identifier: Apache-2.0
-- Names of which a zone's server was told something else than what is, as they
-- are; without addresses those that are nobody's.
create or replace function ve.dns_due(p_zone text, p_most integer) returns jsonb
  language sql security definer stable
  set search_path = ve, pg_temp
as $$
  select coalesce(jsonb_agg(jsonb_build_object('name', d.name, 'ipv4', host(d.ipv4), 'ipv6', host(d.ipv6)) order by d.name), '[]')
    from (select name, w.ipv4, w.ipv6
      from dns_wanted() w full join (select * from dns_name where zone = p_zone) t using (name)
      where (w.ipv4, w.ipv6) is distinct from (t.ipv4, t.ipv6)
      order by name limit p_most) d
$$;
