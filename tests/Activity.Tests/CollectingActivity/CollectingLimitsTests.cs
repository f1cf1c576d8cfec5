using System.Net;
using Microsoft.Extensions.Options;
using Shop.Activity.CollectingActivity;

namespace Shop.Activity.Tests.CollectingActivity;

public sealed class CollectingLimitsTests
{
    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", false)]
    [InlineData("192.0.2.1", "192.0.2.2", true)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", false)]
    [InlineData("::ffff:192.0.2.1", "::ffff:192.0.2.2", true)]
    [InlineData("2001:db8:0:1::1", "2001:db8:0:1:ffff::9", false)]
    [InlineData("2001:db8:0:1::1", "2001:db8:0:2::1", true)]
    public void Events_of_one_network_are_counted_together(string one, string other, bool apart)
    {
        using var limits = new CollectingLimits(Options.Create(new CollectingOptions { EventsPerAddress = 1, EventsPerInstance = 1_000 }));

        Assert.True(limits.TryTake(IPAddress.Parse(one), 10));
        Assert.Equal(apart, limits.TryTake(IPAddress.Parse(other), 10));
    }
}
