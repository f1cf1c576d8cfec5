using Shop.Activity.Tests.Hosting;

[assembly: AssemblyFixture(typeof(ShopFixture))]
