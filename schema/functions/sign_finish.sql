-- SPDX-License-Identifier: Apache-2.0
-- The signer's answer.  With a certificate the node is there, unless another one
-- took its name or address meanwhile: then it is told so as of any refusal, and
-- those behind it are signed.
create or replace function ve.sign_finish(p_id bigint, p_certificate text, p_error text) returns void
  language plpgsql security definer
  set search_path = ve, ext, pg_temp
as $$
declare
  e enrolment;
begin
  update enrolment set certificate = p_certificate, error = left(p_error, 500)
    where id = p_id and certificate is null and error is null returning * into e;
  if not found or p_certificate is null then
    return;
  end if;
  begin
    insert into node (id, url, grant_key, capacity)
      values (e.node_id, e.url, gen_random_bytes(32), e.capacity);
  exception when unique_violation then
    update enrolment set certificate = null, error = 'there is a node of this name or address by now' where id = e.id;
    return;
  end;
  perform audit_add(e.made_by, 'node.enrol', null, null,
    jsonb_build_object('node', e.node_id, 'url', e.url, 'capacity', e.capacity));
  perform pg_notify('ve_job', e.node_id);
end
$$;
