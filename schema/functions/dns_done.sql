-- SPDX-License-Identifier: Apache-2.0
-- The server of a zone has taken these names, as dns_due() gave them.
create or replace function ve.dns_done(p_zone text, p_names jsonb) returns void
  language sql security definer
  set search_path = ve, pg_temp
as $$
  delete from dns_name t using jsonb_to_recordset(p_names) n(name text, ipv4 inet, ipv6 inet)
    where t.zone = p_zone and t.name = n.name;
  insert into dns_name (zone, name, ipv4, ipv6)
    select p_zone, n.name, n.ipv4, n.ipv6 from jsonb_to_recordset(p_names) n(name text, ipv4 inet, ipv6 inet)
      where n.ipv4 is not null or n.ipv6 is not null;
$$;
