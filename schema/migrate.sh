#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#  migrate.sh CONNINFO [DIRECTORY]
#
#  Brings a database to the schema of this directory:
#
#    roles.sql -> migrations/NNNN-*.sql -> functions/*.sql, views/*.sql -> privileges.sql
#                 (each once, in order)    (each time, one transaction together)
#
#  Each migration is one transaction that also records its number and its
#  sha256; a migration that changed after it was applied stops everything.
#  Runs beside itself wait for each other on an advisory lock.
set -eu

db=${1:?usage: migrate.sh CONNINFO [DIRECTORY]}
dir=${2:-$(dirname "$0")}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

run() {
  PGOPTIONS='-c client_min_messages=warning' \
    psql -qXAt -v ON_ERROR_STOP=1 -d "$db" "$@"
}

lock='do $$ begin perform pg_advisory_xact_lock(7383142); end $$;'

run <<SQL
begin;
$lock
\i $dir/roles.sql
create schema if not exists ve_meta authorization ve_owner;
create table if not exists ve_meta.migration (
  id text primary key,
  sha256 text not null,
  applied timestamptz not null default now()
);
alter table ve_meta.migration owner to ve_owner;
commit;
SQL

seen=
for file in "$dir"/migrations/*.sql; do
  id=$(basename "$file" .sql)
  number=${id%%-*}
  case " $seen " in *" $number "*)
    echo "migrate: two migrations have the number $number" >&2
    exit 1
    ;;
  esac
  seen="$seen $number"
  sum=$(sha256sum "$file" | cut -d' ' -f1)
  cat >"$tmp/step.sql" <<SQL
begin;
$lock
select coalesce(max(sha256), 'new') = 'new' as fresh,
       coalesce(max(sha256), '$sum') = '$sum' as same
  from ve_meta.migration where id = '$id' \\gset
\\if :same
\\else
  do \$\$ begin raise exception 'migration $id was changed after it was applied'; end \$\$;
\\endif
\\if :fresh
  set local role ve_owner;
  \\i $file
  insert into ve_meta.migration (id, sha256) values ('$id', '$sum');
  \\echo applied $id
\\endif
commit;
SQL
  run -f "$tmp/step.sql"
done

{
  echo "begin; $lock set local role ve_owner; set local check_function_bodies = off;"
  for file in "$dir"/functions/*.sql "$dir"/views/*.sql "$dir"/privileges.sql; do
    echo "\\i $file"
  done
  echo 'commit;'
} >"$tmp/replace.sql"
run -f "$tmp/replace.sql" && echo 'schema is up to date'
