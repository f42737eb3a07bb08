-- SPDX-License-Identifier: Apache-2.0
-- For sshd's AuthorizedKeysCommand: whose VE a key opens; null when none.
create or replace function ve.key_lookup(p_fingerprint text) returns jsonb
  language sql security definer stable
  set search_path = ve, pg_temp
as $$
  select jsonb_build_object('key', k.id, 'veid', v.veid, 'kind', k.kind, 'blob', k.blob)
    from ssh_key k join subscriber p on p.id = k.subscriber_id
      join ve v on v.subscriber_id = p.id
    where k.fingerprint = p_fingerprint and p.suspended_at is null
      and v.deleted_at is null and v.desired <> 'deleted'
$$;
