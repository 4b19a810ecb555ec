# Files that live for a moment, as a shell makes them.
tag=$1 n=$2 done=0
for ((i = 0; i < n; i++)); do
  echo x >"echoed-$tag-$i" && rm "echoed-$tag-$i" && done=$((done + 1))
done
echo "RECALL {\"case\":\"echo-rm.sh\",\"tag\":\"$tag\",\"n\":$n,\"done\":$done}"
