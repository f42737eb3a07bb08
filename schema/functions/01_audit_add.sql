-- SPDX-License-Identifier: Apache-2.0
-- Adds a link to the chain.  Called last in a transaction: it holds the head of
-- the chain until the commit.  It is never cut, so that what subscribers do
-- themselves, but for coming and going, has a rate.
create or replace function ve.audit_add(p_actor text, p_action text,
  p_subscriber bigint, p_veid integer, p_detail jsonb default '{}') returns void
  language plpgsql
  set search_path = ve, ext, pg_temp
as $$
declare
  h audit_head;
  t timestamptz := clock_timestamp();
begin
  if p_action !~ '^account[.]' and exists (select from subscriber where id = p_subscriber and email = p_actor)
      and not rate_take('change', 'subscriber ' || p_subscriber) then
    raise exception using errcode = 'VE003', message = 'too many changes in an hour; try again later';
  end if;
  select * into h from audit_head for update;
  h.id := h.id + 1;
  h.hash := digest(h.hash || convert_to(
    jsonb_build_array(h.id, iso(t), p_actor, p_action, p_subscriber, p_veid, p_detail)::text,
    'UTF8'), 'sha256');
  insert into audit (id, at, actor, action, subscriber_id, veid, detail, hash)
    values (h.id, t, p_actor, p_action, p_subscriber, p_veid, p_detail, h.hash);
  update audit_head set id = h.id, hash = h.hash;
end
$$;
