# A program under another name.
tag=$1 n=$2 done=0
for ((i = 0; i < n; i++)); do
  (exec -a sshd /bin/true "$tag-$i") && done=$((done + 1))
done
echo "RECALL {\"case\":\"false-name.sh\",\"tag\":\"$tag\",\"n\":$n,\"done\":$done}"
