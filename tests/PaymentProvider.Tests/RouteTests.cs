using Microsoft.AspNetCore.Mvc.Testing;
using Shop.Testing.Routes;

namespace Shop.PaymentProvider.Tests;

/// <summary>What is said of every route.</summary>
public sealed class RouteTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("shop-provider-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Every_route_is_described()
    {
        await using var provider = new WebApplicationFactory<PaymentRequest>().WithWebHostBuilder(host => host.UseSetting("Ledger:Directory", _directory.FullName));
        using var client = provider.CreateClient();
        Assert.Empty(await RouteRules.UndescribedAsync(provider.Services, client));
    }
}
