local function numbers(n)
  return coroutine.wrap(function()
    local i = 0
    while i < n do
      coroutine.yield(i)
      i = i + 1
    end
  end)
end

local n = tonumber(arg[1]) or 10000000
local sum = 0
for x in numbers(n) do
  sum = sum + x
end
print(string.format("%d", sum))
