local n = tonumber(arg[1]) or 10000000
local sum = 0
local i = 0
while i < n do
  sum = sum + i
  i = i + 1
end
print(string.format("%d", sum))
