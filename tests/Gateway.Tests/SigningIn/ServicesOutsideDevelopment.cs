namespace Shop.Gateway.Tests.SigningIn;

/// <summary>The services outside Development, at an authority.</summary>
public sealed class ServicesOutsideDevelopment : RunningServices
{
    public TestAuthority Authority { get; } = new();

    protected override IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?>
    {
        // Production, which is what .NET takes it for
        ["DOTNET_ENVIRONMENT"] = null,
        ["ASPNETCORE_ENVIRONMENT"] = null,
        ["Authentication__Authority"] = Authority.Address,
        ["Authentication__Audience"] = TestAuthority.Audience,
    };

    public override async ValueTask InitializeAsync()
    {
        await Authority.InitializeAsync();
        await base.InitializeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await Authority.DisposeAsync();
    }
}
