// The bare event loop: every event schedules its successor 1 ... 2,000,000 ns later. With --rearm=1
// it also cancels its 200 ms deadline and schedules a new one, as an ACK does to a retransmission
// timer. The same draws as bench/event-loop.ts.
#include "measure.h"
#include "ns3/core-module.h"
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>
using namespace ns3;

static uint32_t state = 12345;
static uint64_t left, done;
static bool rearm = false;
static std::vector<EventId> deadlines;

static Time Draw() {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return NanoSeconds(1 + state % 2000000);
}

static void Expired() {}

static void Tick(uint32_t i) {
  ++done;
  if (left-- == 0) {
    Simulator::Stop();
    return;
  }
  Simulator::Schedule(Draw(), &Tick, i);
  if (rearm) {
    deadlines[i].Cancel();
    deadlines[i] = Simulator::Schedule(MilliSeconds(200), &Expired);
  }
}

int main(int argc, char **argv) {
  uint32_t pending = 1000;
  uint64_t events = 3000000;
  std::string scheduler = "MapScheduler";
  CommandLine line(__FILE__);
  line.AddValue("pending", "timers", pending);
  line.AddValue("events", "events to run", events);
  line.AddValue("rearm", "with a deadline that moves", rearm);
  line.AddValue("scheduler", "MapScheduler, HeapScheduler ...", scheduler);
  line.Parse(argc, argv);
  Simulator::SetScheduler(ObjectFactory("ns3::" + scheduler));
  left = events;
  deadlines.resize(pending);
  for (uint32_t i = 0; i < pending; ++i) {
    Simulator::Schedule(Draw(), &Tick, i);
    if (rearm)
      deadlines[i] = Simulator::Schedule(MilliSeconds(200), &Expired);
  }
  const double start = CpuSeconds();
  Simulator::Run();
  const double cpu = CpuSeconds() - start;
  std::printf("{\"scheduler\":\"%s\",\"pending\":%u,\"events\":%llu,\"cpuSeconds\":%.4f,"
              "\"eventsPerSecond\":%.0f}\n",
              scheduler.c_str(), pending, (unsigned long long)done, cpu, done / cpu);
  Simulator::Destroy();
}
