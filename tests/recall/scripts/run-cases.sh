# run-cases.sh RATE, and on standard input lines of "PROGRAM TAG COUNT": runs each in a directory of its own.
here=$(cd -- "$(dirname -- "$0")/.." && pwd)
while read -r program tag count; do
  mkdir -p "$here/work/$tag"
  cd "$here/work/$tag" || exit
  case $program in
    *.sh) bash "$here/scripts/$program" "$tag" "$count" ;;
    *.py) python3 "$here/scripts/$program" "$tag" "$count" ;;
    *.mjs) node "$here/scripts/$program" "$tag" "$count" ;;
    *) "$here/bin/recall" "$program" "$tag" "$count" "$1" ;;
  esac </dev/null
done
