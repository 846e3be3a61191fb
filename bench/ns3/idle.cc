// TCP connections between two hosts over 1 Gbit/s and 10 ms, one every 20 us, that then do nothing.
#include "measure.h"
#include "ns3/core-module.h"
#include "ns3/internet-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"
#include "ns3/traffic-control-module.h"
#include <cstdio>
#include <unistd.h>
#include <vector>
using namespace ns3;

static std::vector<Ptr<Socket>> opened, accepted;
static uint32_t connected = 0;

static void Connected(Ptr<Socket>) { ++connected; }
static void Failed(Ptr<Socket>) {}
static void Accepted(Ptr<Socket> socket, const Address &) { accepted.push_back(socket); }

static void Open(Ptr<Node> node, Ipv4Address remote, uint16_t port) {
  auto socket = Socket::CreateSocket(node, TcpSocketFactory::GetTypeId());
  socket->SetConnectCallback(MakeCallback(&Connected), MakeCallback(&Failed));
  socket->Bind();
  socket->Connect(InetSocketAddress(remote, port));
  opened.push_back(socket);
}

int main(int argc, char **argv) {
  uint32_t connections = 10000;
  CommandLine line(__FILE__);
  line.AddValue("connections", "to open", connections);
  line.Parse(argc, argv);
  NodeContainer hosts(2);
  PointToPointHelper cable;
  cable.SetDeviceAttribute("DataRate", StringValue("1Gbps"));
  cable.SetChannelAttribute("Delay", StringValue("10ms"));
  cable.SetQueue("ns3::DropTailQueue<Packet>", "MaxSize", StringValue("10000p"));
  auto devices = cable.Install(hosts);
  InternetStackHelper stack;
  stack.SetIpv6StackInstall(false);
  stack.InstallAll();
  const auto ends = Ipv4AddressHelper("10.0.0.0", "255.255.255.0").Assign(devices);
  TrafficControlHelper().Uninstall(devices);
  // A port for every 10,000, so that the client's ports last.
  for (uint32_t i = 0; i * 10000 < connections; ++i) {
    auto listener = Socket::CreateSocket(hosts.Get(1), TcpSocketFactory::GetTypeId());
    listener->Bind(InetSocketAddress(Ipv4Address::GetAny(), 5000 + i));
    listener->Listen();
    listener->SetAcceptCallback(MakeNullCallback<bool, Ptr<Socket>, const Address &>(),
                                MakeCallback(&Accepted));
  }
  opened.reserve(connections);
  accepted.reserve(connections);
  const double bytes = AllocatedBytes();
  for (uint32_t i = 0; i < connections; ++i) {
    const uint16_t port = 5000 + i / 10000;
    Simulator::Schedule(MicroSeconds(20) * i, &Open, hosts.Get(0), ends.GetAddress(1), port);
  }
  Simulator::Stop(MicroSeconds(20) * connections + Seconds(5));
  const double start = CpuSeconds();
  Simulator::Run();
  const double cpu = CpuSeconds() - start;
  std::printf("{\"connections\":%u,\"connected\":%u,\"accepted\":%zu,\"connectCpuSeconds\":%.4f,"
              "\"bytesPerEndpoint\":%.0f}\n",
              connections, connected, accepted.size(), cpu,
              (AllocatedBytes() - bytes) / (2.0 * connections));
  std::fflush(stdout);
  // Taking the sockets down one by one would last longer than the run.
  _exit(0);
}
