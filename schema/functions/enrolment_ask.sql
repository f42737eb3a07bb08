-- SPDX-License-Identifier: Apache-2.0
-- A node brings its token and what is to be signed.  A token takes one request;
-- the same one may be brought again.
create or replace function ve.enrolment_ask(p_enrolment bytea, p_csr text) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  n text;
begin
  update enrolment set csr = p_csr
    where token_hash = p_enrolment and expires_at > now() and (csr is null or csr = p_csr)
    returning node_id into n;
  if n is null then
    raise exception using errcode = 'VE021',
      message = 'this token is not known, too old, or used already: ask the operator for another';
  end if;
  perform pg_notify('ve_sign', n);
  return jsonb_build_object('node', n, 'state', 'waiting');
end
$$;
