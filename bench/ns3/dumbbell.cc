// Bulk TCP flows through one bottleneck, with the parameters of scenarios/dumbbell.ts: access links
// of ten times the rate and 1 ms, a bottleneck of 8 ms with 100 packets of drop-tail queue, MSS
// 1448, initial window 10, buffers of 8 MiB, SACK and timestamps, NewReno, delayed ACK 40 ms,
// smallest RTO 200 ms, starts at random within 100 ms.
#include "measure.h"
#include "ns3/applications-module.h"
#include "ns3/core-module.h"
#include "ns3/internet-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"
#include <cstdio>
#include <string>
#include <vector>
using namespace ns3;

static PointToPointHelper Cable(const std::string &rate, const char *delay, const char *queue) {
  PointToPointHelper cable;
  cable.SetDeviceAttribute("DataRate", StringValue(rate));
  cable.SetChannelAttribute("Delay", StringValue(delay));
  cable.SetQueue("ns3::DropTailQueue<Packet>", "MaxSize", StringValue(queue));
  // Or a queue discipline would hold packets back in front of the device.
  cable.DisableFlowControl();
  return cable;
}

static void ChooseTcp() {
  const auto segments = UintegerValue(1448);
  const auto buffer = UintegerValue(8 << 20);
  Config::SetDefault("ns3::TcpL4Protocol::SocketType", TypeIdValue(TcpNewReno::GetTypeId()));
  Config::SetDefault("ns3::TcpSocket::SegmentSize", segments);
  Config::SetDefault("ns3::TcpSocket::InitialCwnd", UintegerValue(10));
  Config::SetDefault("ns3::TcpSocket::SndBufSize", buffer);
  Config::SetDefault("ns3::TcpSocket::RcvBufSize", buffer);
  Config::SetDefault("ns3::TcpSocket::DelAckTimeout", TimeValue(MilliSeconds(40)));
  Config::SetDefault("ns3::TcpSocketBase::Sack", BooleanValue(true));
  Config::SetDefault("ns3::TcpSocketBase::MinRto", TimeValue(MilliSeconds(200)));
}

int main(int argc, char **argv) {
  uint32_t flows = 10, run = 1;
  double seconds = 30;
  std::string rate = "100Mbps";
  CommandLine line(__FILE__);
  line.AddValue("flows", "senders, each with its receiver", flows);
  line.AddValue("rate", "of the bottleneck", rate);
  line.AddValue("seconds", "simulated", seconds);
  line.AddValue("run", "number of the random run", run);
  line.Parse(argc, argv);
  RngSeedManager::SetRun(run);
  ChooseTcp();

  NodeContainer senders(flows), receivers(flows), routers(2);
  InternetStackHelper stack;
  stack.SetIpv6StackInstall(false);
  stack.InstallAll();
  const auto fast = std::to_string(DataRate(rate).GetBitRate() * 10) + "bps";
  auto access = Cable(fast, "1ms", "10000p");
  auto middle = Cable(rate, "8ms", "100p").Install(routers);
  Ipv4AddressHelper net("10.255.0.0", "255.255.255.0");
  net.Assign(middle);

  Ipv4StaticRoutingHelper routing;
  const auto table = [&](Ptr<Node> n) { return routing.GetStaticRouting(n->GetObject<Ipv4>()); };
  // Interface 0 is the loopback, 1 the bottleneck.
  table(routers.Get(0))->AddNetworkRouteTo("10.2.0.0", "255.255.0.0", "10.255.0.2", 1);
  table(routers.Get(1))->AddNetworkRouteTo("10.1.0.0", "255.255.0.0", "10.255.0.1", 1);
  auto start = CreateObject<UniformRandomVariable>();
  std::vector<Ptr<PacketSink>> sinks;
  for (uint32_t i = 0; i < flows; ++i) {
    const auto attach = [&](Ptr<Node> host, uint32_t router, int side) {
      const auto base = "10." + std::to_string(side) + "." + std::to_string(i) + ".0";
      net.SetBase(base.c_str(), "255.255.255.0");
      const auto ends = net.Assign(access.Install(host, routers.Get(router)));
      table(host)->SetDefaultRoute(ends.GetAddress(1), 1);
      return ends.GetAddress(0);
    };
    attach(senders.Get(i), 0, 1);
    const InetSocketAddress to(attach(receivers.Get(i), 1, 2), 5000);
    PacketSinkHelper sink("ns3::TcpSocketFactory", InetSocketAddress(Ipv4Address::GetAny(), 5000));
    sinks.push_back(DynamicCast<PacketSink>(sink.Install(receivers.Get(i)).Get(0)));
    BulkSendHelper bulk("ns3::TcpSocketFactory", to);
    bulk.SetAttribute("SendSize", UintegerValue(10 * 1448));
    bulk.Install(senders.Get(i)).Start(Seconds(start->GetValue(0, 0.1)));
  }

  Simulator::Stop(Seconds(seconds));
  const double before = CpuSeconds();
  Simulator::Run();
  const double cpu = CpuSeconds() - before;
  const auto queue = DynamicCast<PointToPointNetDevice>(middle.Get(0))->GetQueue();
  // What the queue took: the data segments that crossed the bottleneck.
  const auto segments = queue->GetTotalReceivedPackets();
  double sum = 0, squares = 0;
  for (const auto &sink : sinks) {
    const double rate = sink->GetTotalRx() * 8 / seconds / 1e6;
    sum += rate;
    squares += rate * rate;
  }
  std::printf("{\"segments\":%u,\"drops\":%u,\"cpuSeconds\":%.4f,\"segmentsPerCpuSecond\":%.0f,"
              "\"goodputMbit\":%.3f,\"jain\":%.4f}\n",
              segments, queue->GetTotalDroppedPackets(), cpu, segments / cpu, sum,
              sum * sum / (flows * squares));
  Simulator::Destroy();
}
