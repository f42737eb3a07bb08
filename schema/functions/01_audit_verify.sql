-- SPDX-License-Identifier: Apache-2.0
-- The number of the first link that does not fit, null when the chain is whole.
create or replace function ve.audit_verify() returns bigint
  language plpgsql security definer stable
  set search_path = ve, ext, pg_temp
as $$
declare
  a audit;
  h bytea := '\x00';
  n bigint := 0;
begin
  for a in select * from audit order by id loop
    n := n + 1;
    h := digest(h || convert_to(jsonb_build_array(a.id, iso(a.at), a.actor, a.action,
      a.subscriber_id, a.veid, a.detail)::text, 'UTF8'), 'sha256');
    if a.id <> n or a.hash <> h then
      return n;
    end if;
  end loop;
  if (n, h) is distinct from (select (id, hash) from audit_head) then
    return n + 1;
  end if;
  return null;
end
$$;
